"""A run's explanations tried out on fakes whose originals are known."""

import json

import keras
import numpy as np
import pytest

from deepfake_tfdata.clips.video import ORIGINAL
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.evaluation.explanation import AREAS
from deepfake_tfdata.explain import ExplainConfig, main
from deepfake_tfdata.input.batches import find_split
from deepfake_tfdata.input.options import InputOptions
from deepfake_tfdata.model.assembly import assemble_published
from deepfake_tfdata.scoring.explanation.pairs import pair_with_originals, read_pairs
from deepfake_tfdata.scoring.explanation.run_explanation import explain_run
from deepfake_tfdata.scoring.explanation.truth import read_truth
from tests.fakes import FRAME_SIZE, NUM_FRAMES
from tests.untrained import write_untrained_run

BOX = [110.0, 90.0, 40.0, 40.0]  # left, top, width, height: in the face of every video


def darkness_detector():
    """The darker a frame, the more it speaks for fake; the fakes of these records are darker."""
    images = keras.Input((FRAME_SIZE, FRAME_SIZE, 3), dtype="uint8")
    x = keras.layers.Rescaling(-1 / 255, 1.0, dtype="float32")(images)
    convolution, dense = keras.layers.Conv2D(2, 8, 8, use_bias=False), keras.layers.Dense(1)
    logit = dense(keras.layers.GlobalAveragePooling2D()(convolution(x)))
    convolution.set_weights([np.full((8, 8, 3, 2), 1 / 192) * [1.0, 0.1]])
    dense.set_weights([np.array([[10.0], [0.0]]), np.array([-7.0])])
    return assemble_published(keras.Model(images, logit, name="backbone"), NUM_FRAMES, native=True)


@pytest.fixture(scope="module")
def run(records, tmp_path_factory):
    folder = tmp_path_factory.mktemp("explained")
    write_untrained_run(folder, records, darkness_detector(), region="full", head="control")
    return folder


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    """A mark in the test split's fakes, with a strength of its own in every frame."""
    path = tmp_path_factory.mktemp("truth") / "ground_truth.json"
    artefact = {"boxes": [BOX] * 12, "strengths": [*range(12)]}
    names = ("020_021", "021_020", "022_023", "023_022")
    videos = {f"manipulated/Face2Face/c23/{name}.mp4": {"artefact": artefact} for name in names}
    path.write_text(json.dumps({"videos": {**videos, "original/020.mp4": {"artefact": None}}}))
    return path


def test_every_fake_stands_beside_its_original(records):
    options = InputOptions(data=str(records), region="full", frame_size=FRAME_SIZE)
    paired = pair_with_originals(find_split(options, "test"), 0)
    clips = paired.shards.clips[0]
    assert len(paired.fakes) == 4 and paired.without_original == 0
    for fake, original in zip(clips[::2], clips[1::2], strict=True):
        assert (fake.label, original.manipulation) == (1, ORIGINAL)
        assert fake.target_id == original.video_id
    pairs = [*read_pairs(options, paired)]
    assert all(pair.aligned for pair in pairs)
    # Fakes are a third as bright as what they were made of.
    for pair in pairs:
        fake, original = (each[0].frames.mean() for each in (pair.fake_regions, pair.original_regions))
        assert fake == pytest.approx(original / 3, rel=0.1)
    few = pair_with_originals(find_split(options, "test"), 2)
    assert [clip.clip_id for clip in few.fakes] == [paired.fakes[place].clip_id for place in (0, 3)]


def test_a_split_without_originals_is_refused(records):
    options = InputOptions(data=str(records), region="full")
    shards = find_split(options, "test")
    fakes = [row for row, clip in enumerate(shards.clips[0]) if clip.label]
    with pytest.raises(UserError, match="no fake of the test split has its original there"):
        pair_with_originals(shards.only(fakes), 0)


def test_a_run_is_explained_and_the_explanation_judged(run, truth, capsys):
    main(ExplainConfig(str(run), limit=2, truth=str(truth)))
    folder = run / "explanation" / "test"
    assert {path.name for path in folder.iterdir()} == {"explanation.json", "explanation.html"}
    result = json.loads((folder / "explanation.json").read_text())
    # Both are of one pair of people, too many to be independent: their targets are.
    assert (result["num_clips"], result["num_components"], result["places"]) == (2, 2, [6, 6])
    figures = result["figures"]
    # The detector goes by darkness, so that the original's pixels take of it wherever they are.
    assert figures["all_pasted"]["value"] > 1
    curve = [each["value"] for each in result["curves"]["class_activation"]]
    assert curve == sorted(curve) and curve[0] > 0 and curve[-1] < figures["all_pasted"]["value"]
    assert [each["area"] for each in result["curves"]["centre"]] == list(AREAS)
    chance = figures["class_activation_pointing"]["baselines"]["chance"]["value"]
    assert 0.1 < chance < 0.25  # the mark lies in the face
    assert -1 <= figures["replacement_strength"]["value"] <= 1
    assert "attention_replacement" not in figures  # the head weighs no frames
    said = capsys.readouterr().out
    for figure in figures.values():
        assert figure["verdict"] in said
    assert f"report: {folder}/explanation.html" in said


def test_truth_that_is_missing_damaged_or_of_other_videos_is_named(run, truth, tmp_path):
    with pytest.raises(UserError, match=r"no .*nowhere\.json; name the ground_truth\.json"):
        read_truth(tmp_path / "nowhere.json")
    (tmp_path / "damaged.json").write_text('{"videos": 3}')
    with pytest.raises(UserError, match=r"damaged\.json is no ground truth"):
        read_truth(tmp_path / "damaged.json")
    other = tmp_path / "other.json"
    other.write_text(truth.read_text().replace("Face2Face", "Deepfakes"))
    with pytest.raises(UserError, match=r"--truth says nothing of Face2Face/02._02. and the others"):
        explain_run(run, "test", truth=read_truth(other))


def test_a_truth_in_which_nothing_is_planted_adds_nothing(run, truth, tmp_path):
    values = json.loads(truth.read_text())
    for video in values["videos"].values():
        video["artefact"] = None
    (tmp_path / "null.json").write_text(json.dumps(values))
    result = explain_run(run, "test", limit=1, truth=read_truth(tmp_path / "null.json")).result
    assert not {"class_activation_pointing", "attention_strength"} & set(result["figures"])
