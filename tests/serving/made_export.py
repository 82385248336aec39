"""An export made by hand: its logit is the mean brightness of a clip, less 128, over ten."""

from pathlib import Path

import onnx
from onnx import TensorProto, helper

from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.evaluation.calibration import write_calibration
from deepfake_tfdata.scoring.export_file import LOGIT, MODEL_FILES, Export, ExportInput, write_export
from tests.verdicts import made


def write_made_export(folder: Path, spec: ClipSpec) -> Path:
    """Writes it, calibrated, for clips of the mouth."""
    shape = (None, spec.num_frames, None, None, 3)
    _save(folder / MODEL_FILES["onnx"], shape)
    export = Export(
        name="mouth/brightness",
        format="onnx",
        file=MODEL_FILES["onnx"],
        inputs=(ExportInput("frames", "mouth", shape),),
        outputs=(LOGIT,),
        head="control",
        backbone="none",
        view="",
        frame_size=spec.frame_size,
        spec=spec.to_dict(),
        spec_hash=spec.hash,
        fingerprint="0" * 64,
        precision="float32",
        versions={},
    )
    write_export(folder, export)
    write_calibration(folder, made.calibration(ranges={}, model=export.fingerprint))
    return folder


def _save(path: Path, shape: tuple[int | None, ...]) -> None:
    constants = [
        helper.make_tensor("axes", TensorProto.INT64, [4], [1, 2, 3, 4]),
        helper.make_tensor("grey", TensorProto.FLOAT, [], [128.0]),
        helper.make_tensor("gain", TensorProto.FLOAT, [], [0.1]),
    ]
    nodes = [
        helper.make_node("Cast", ["frames"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["pixels", "axes"], ["mean"], keepdims=0),
        helper.make_node("Sub", ["mean", "grey"], ["difference"]),
        helper.make_node("Mul", ["difference", "gain"], [LOGIT]),
    ]
    graph = helper.make_graph(
        nodes,
        "brightness",
        [helper.make_tensor_value_info("frames", TensorProto.UINT8, shape)],
        [helper.make_tensor_value_info(LOGIT, TensorProto.FLOAT, [None])],
        constants,
    )
    opset = [helper.make_opsetid("", 18)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=10), path)
