"""An export says of real clips what its run says, in every format; or there is none."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from deepfake_tfdata import build_detector
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.evaluation.calibration import DetectorCalibration, ReferenceScores, write_calibration
from deepfake_tfdata.export import ExportConfig, main
from deepfake_tfdata.exports import write
from deepfake_tfdata.exports.clips import RealClip, choose
from deepfake_tfdata.exports.formats import FORMATS
from deepfake_tfdata.exports.parity import require_parity, require_spread
from deepfake_tfdata.exports.write import export_run
from deepfake_tfdata.scoring.applied import ClipOutputs, file_fingerprint, open_detector
from deepfake_tfdata.scoring.export_file import read_export
from deepfake_tfdata.verdicts.ensemble import open_ensemble
from tests.fakes import FRAME_SIZE, NUM_FRAMES
from tests.untrained import sharpened, write_untrained_run

pytest.importorskip("tf2onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("ai_edge_litert")

README = Path(__file__).parents[2] / "deepfake_tfdata" / "exports" / "README.md"


def untrained(folder, records, head, regions=("full",), policy="float32", **options):
    """A run on these records that was never trained, but whose logits differ."""
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy(policy)
    detector = sharpened(
        build_detector(
            *("meso4", head, NUM_FRAMES, FRAME_SIZE, "none"),
            lstm_units=4,
            regions=regions,
            native=records.name == "records",
        )
    )
    keras.config.set_dtype_policy("float32")
    return write_untrained_run(
        folder, records, detector, policy, region=",".join(regions), head=head, **options
    )


@pytest.fixture(scope="module")
def run(resized_records, tmp_path_factory):
    return untrained(tmp_path_factory.mktemp("export") / "run", resized_records, "attention")


@pytest.fixture(scope="module")
def onnx_export(records, tmp_path_factory):
    """Of native clips, of any size, seen through a view."""
    folder = tmp_path_factory.mktemp("onnx")
    run = untrained(folder / "run", records, "attention", view="mouth@0.5")
    export_run(run, "onnx", folder / "export", 4)
    return folder / "export"


def stored_clips(export):
    """The frames of the clips that lie beside an export, by region, and what they must give."""
    region_of = {each.name: each.region for each in read_export(export).inputs}
    parity = json.loads((export / "parity.json").read_text())
    clips = [np.load(export / clip["file"]) for clip in parity["clips"]]
    return [{region_of[name]: clip[name] for name in clip} for clip in clips], parity


def test_onnx_of_native_clips_is_scored_without_tensorflow(onnx_export):
    clips, parity = stored_clips(onnx_export)
    assert len({clip["full"].shape for clip in clips}) > 1
    assert [clip["label"] for clip in parity["clips"]] == [0, 0, 1, 1]
    standard = open_ensemble([str(onnx_export)]).standard(0.05)
    assert "--workdir=RUN', and export it again" in str(standard)
    assert parity["spread"] > 0.1 and parity["largest_difference"] < 1e-4
    code = (
        "import json, sys, numpy as np\n"
        "from pathlib import Path\n"
        "from deepfake_tfdata.scoring.applied import open_detector\n"
        "export = Path(sys.argv[1])\n"
        "detector = open_detector(export)\n"
        "parity = json.loads((export / 'parity.json').read_text())['clips']\n"
        "outputs = detector.score([{'full': np.load(export / clip['file'])['frames']} for clip in parity])\n"
        "np.testing.assert_allclose(outputs.logits, [clip['logit'] for clip in parity], atol=1e-4)\n"
        "np.testing.assert_allclose(outputs.attention, [clip['attention'] for clip in parity], atol=1e-4)\n"
        "assert detector.name == 'full.mouth@0.5/attention', detector.name\n"
        "assert 'onnxruntime' in detector.versions and detector.calibration is None\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(onnx_export)], check=True)


def test_the_readmes_lines_score_the_stored_clips(onnx_export, tmp_path):
    (lines,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    code = lines.replace('"exports/mouth"', repr(str(onnx_export)))
    assert code != lines and len([line for line in code.splitlines() if line]) <= 10
    result = subprocess.run(
        [sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    _, parity = stored_clips(onnx_export)
    pairs = [tuple(map(float, line.split()[-2:])) for line in result.stdout.splitlines()]
    assert [pair[0] for pair in pairs] == pytest.approx([clip["logit"] for clip in parity["clips"]])
    np.testing.assert_allclose(*np.array(pairs).T, atol=1e-4)
    assert not {"deepfake_tfdata", "tensorflow", "keras"} & set(re.findall(r"import (\w+)", code))


def test_litert_of_a_run_in_half_precision_computes_in_float32(resized_records, tmp_path):
    run = untrained(tmp_path / "run", resized_records, "last", policy="mixed_float16")
    reference = ReferenceScores(np.array(["a", "b"]), np.array([0, 1]), np.array(["a", "b"]), np.zeros(2))
    model = file_fingerprint(run / "model.keras")
    write_calibration(run, DetectorCalibration(reference, {}, model, "data", ("Face2Face",)))
    written = export_run(run, "litert", tmp_path / "export", 2)
    clips, parity = stored_clips(tmp_path / "export")
    detector = open_detector(tmp_path / "export")
    assert written.calibrated and detector.calibration.methods == ("Face2Face",)
    asked = []
    found = detector.score(clips, lambda: asked.append(None))
    assert asked
    np.testing.assert_allclose(found.logits, [clip["logit"] for clip in parity["clips"]], atol=1e-4)
    assert found.attention is None
    # What half precision costs is told, and is not taken for what the export costs.
    assert written.parity.difference_to_precision > 10 * written.parity.largest_difference


@pytest.fixture(scope="module")
def saved_model(resized_records, tmp_path_factory):
    """Of two regions, fused."""
    folder = tmp_path_factory.mktemp("saved_model")
    run = untrained(folder / "run", resized_records, "attention", regions=("full", "mouth"))
    export_run(run, "saved_model", folder / "export", 2)
    return folder / "export"


def test_a_saved_model_has_servings_layout_and_needs_nothing_of_ours(saved_model, tmp_path):
    assert (saved_model / "1" / "saved_model.pb").is_file()
    code = (
        "import json, sys, numpy as np, tensorflow as tf\n"
        "from pathlib import Path\n"
        "export = Path(sys.argv[1])\n"
        "serve = tf.saved_model.load(str(export / '1')).signatures['serving_default']\n"
        "for clip in json.loads((export / 'parity.json').read_text())['clips']:\n"
        "    frames = np.load(export / clip['file'])\n"
        "    outputs = serve(**{name: tf.constant(frames[name][None]) for name in ('full', 'mouth')})\n"
        "    assert abs(outputs['logit'].numpy()[0] - clip['logit']) < 1e-4\n"
        "    np.testing.assert_allclose(outputs['attention'][0], clip['attention'], atol=1e-4)\n"
        "assert 'deepfake_tfdata' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-I", "-c", code, str(saved_model)], cwd=tmp_path, check=True)


@pytest.fixture
def drawn_clips(monkeypatch):
    """Two clips in place of those of the records, which take longer to read."""
    shape = (2, NUM_FRAMES, FRAME_SIZE, FRAME_SIZE, 3)
    frames = np.random.default_rng(0).integers(0, 256, shape, np.uint8) // np.uint8([[[[[1]]]], [[[[3]]]]])
    clips = [RealClip(f"{label}", label, {"full": each}) for label, each in enumerate(frames)]
    monkeypatch.setattr(write, "_real_clips", lambda *_: clips)


@pytest.mark.usefixtures("drawn_clips")
def test_an_export_that_says_something_else_is_not_there(run, tmp_path, monkeypatch):
    def other_weights(detector, *arguments, **options):
        detector.get_layer("classifier").bias.assign([0.01])
        return graph_of(detector, *arguments, **options)

    graph_of = write.export_graph
    monkeypatch.setattr(write, "export_graph", other_weights)
    with pytest.raises(UserError, match=r"the export is not the detector: of clip \d it says"):
        export_run(run, "saved_model", tmp_path / "export", 2)
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("drawn_clips")
def test_what_a_format_knows_not_is_told_in_one_line(run, tmp_path, monkeypatch):
    def unknown(*_, **__):
        raise ValueError("no such operation\nand a page of its surroundings")

    monkeypatch.setattr(write, "export_graph", unknown)
    message = "--head=attention on --backbone=.* can't be exported with --format=onnx: no such operation$"
    with pytest.raises(UserError, match=message):
        export_run(run, "onnx", tmp_path / "export", 2)
    assert not list(tmp_path.iterdir())


def test_mistakes_are_told_before_anything_is_loaded(run, tmp_path, monkeypatch):
    flags = {"workdir": str(run), "format": "onnx"}
    with pytest.raises(UserError, match=f"--output={tmp_path} is there already"):
        main(ExportConfig(**flags, output=str(tmp_path)))
    with pytest.raises(UserError, match="no trained model in"):
        main(ExportConfig(workdir=str(tmp_path), format="onnx", output=str(tmp_path / "new")))
    monkeypatch.setattr("deepfake_tfdata.scoring.exported.find_spec", lambda name: None)
    with pytest.raises(UserError, match=re.escape("run pip install 'deepfake_tfdata[onnx]'")):
        main(ExportConfig(**flags, output=str(tmp_path / "new")))


def test_a_damaged_export_is_named(onnx_export, tmp_path):
    damaged = shutil.copytree(onnx_export, tmp_path / "export")
    (damaged / "detector.onnx").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"detector\.onnx can't be loaded"):
        open_detector(damaged)
    (damaged / "detector.onnx").unlink()
    with pytest.raises(UserError, match=r"no detector\.onnx in"):
        open_detector(damaged)
    (damaged / "export.json").write_text("{}")
    with pytest.raises(UserError, match=r"export\.json is damaged or of another version"):
        open_detector(damaged)


def test_onnx_knows_the_gelu_of_transformers_and_of_convnext(tmp_path):
    import onnxruntime

    numbers = np.linspace(-6, 6, 99, dtype=np.float32)
    graph = tf.function(
        lambda given: {"logit": keras.activations.gelu(given)},
        input_signature=[tf.TensorSpec([None], tf.float32, "given")],
    )
    FORMATS["onnx"].write(graph, tmp_path / "gelu.onnx")
    (found,) = onnxruntime.InferenceSession(tmp_path / "gelu.onnx").run(["logit"], {"given": numbers})
    np.testing.assert_allclose(found, keras.activations.gelu(numbers), atol=1e-6)


def test_swish_which_has_a_gradient_of_its_own_can_be_saved(tmp_path):
    signature = [tf.TensorSpec([None], tf.float32, "given")]
    traced = tf.function(tf.nn.silu, input_signature=signature).get_concrete_function()
    frozen = convert_variables_to_constants_v2(traced)
    graph = tf.function(lambda given: {"logit": frozen(given)[0]}, input_signature=signature)
    FORMATS["saved_model"].write(graph, tmp_path / "1" / "saved_model.pb")
    assert (tmp_path / "1" / "saved_model.pb").is_file()


def outputs(logits, attention=None):
    return ClipOutputs(np.float32(logits), None if attention is None else np.float32(attention))


def test_zeros_and_what_is_no_number_prove_nothing():
    with pytest.raises(UserError, match="would prove nothing"):
        require_spread(np.float32([0.001, 0.002]))
    assert require_spread(np.float32([-1, 2])) == 3
    assert require_parity(outputs([-1, 2]), outputs([-1, 2.0005])) == (pytest.approx(5e-4, rel=1e-2), None)
    with pytest.raises(UserError, match="of clip 1 it says nan"):
        require_parity(outputs([-1, 2]), outputs([-1, np.nan]))
    with pytest.raises(UserError, match="attention differs"):
        require_parity(outputs([-1, 2], [[0.5, 0.5]] * 2), outputs([-1, 2], [[0.5, 0.5], [0.6, 0.4]]))


def test_clips_are_of_both_classes_and_far_from_zero():
    logits = np.float32([0.1, -3, 2, 0.2, 5])
    assert choose([0, 0, 0, 1, 1], logits, 2) == [1, 4]
    assert choose([0, 0, 0, 1, 1], logits, 5) == [1, 2, 4, 3]
