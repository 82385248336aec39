"""The formats that a detector is exported to: what each needs, and how its file is written."""

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import tensorflow as tf

from deepfake_tfdata.exports.graph import Graph
from deepfake_tfdata.scoring.export_file import MODEL_FILES
from deepfake_tfdata.startup import native_messages_hidden

# The newest that tf2onnx writes; ONNX Runtime has it since 1.14.
_OPSET = 18


@dataclass(frozen=True)
class Format:
    """A way to write a graph.

    Attributes:
        write: from a graph to the model's file, which may lie in a folder of its own.
        unrolled: whether it knows no loop over the LSTM's steps.
        packages: that decide what is written, for its record.
    """

    write: Callable[[Graph, Path], None]
    unrolled: bool
    packages: tuple[str, ...]


def _write_saved_model(graph: Graph, file: Path) -> None:
    """A SavedModel, whose file is DIR/1/saved_model.pb: TensorFlow Serving looks for numbered versions."""
    module = tf.Module()
    module.serve = graph
    # Swish brings a gradient of its own, which can't be saved of constants.
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    tf.saved_model.save(module, str(file.parent), signatures={"serving_default": graph}, options=options)


def _write_onnx(graph: Graph, file: Path) -> None:
    import tf2onnx

    logging.getLogger("tf2onnx").setLevel(logging.CRITICAL)  # what is wrong with a file, its runtime says
    # Else it copies the whole graph before every pass over it, so as to go on where one fails.
    os.environ["TF2ONNX_CATCH_ERRORS"] = "FALSE"
    handlers: Any = {"Erfc": (_complement_of_erf, [])}
    model, _ = tf2onnx.convert.from_function(
        graph, graph.input_signature, opset=_OPSET, custom_op_handlers=handlers
    )
    file.write_bytes(model.SerializeToString())


def _complement_of_erf(graph: Any, node: Any, name: str, arguments: Any) -> None:
    """Erfc, which GELU is made of and ONNX doesn't have, as 1 - Erf; as tf2onnx calls what handles a node."""
    (given,), (result,) = node.input, node.output
    kind = {"dtypes": [graph.get_dtype(result)], "shapes": [graph.get_shape(result)]}
    graph.remove_node(node.name)
    erf = graph.make_node("Erf", [given], **kind)
    one = graph.make_const(f"{name}_one", np.float32(1.0))
    graph.make_node("Sub", [one.output[0], erf.output[0]], outputs=[result], name=name, **kind)


def _write_litert(graph: Graph, file: Path) -> None:
    """Of LiteRT's own operations only, so that every runtime takes it."""
    with TemporaryDirectory() as folder, native_messages_hidden():  # pages of its inner representation
        # Of a function alone it leaves the names of inputs and outputs out where it fails to save one itself.
        _write_saved_model(graph, Path(folder) / MODEL_FILES["saved_model"])
        converter = tf.lite.TFLiteConverter.from_saved_model(
            str(Path(folder) / "1"), signature_keys=["serving_default"]
        )
        content = converter.convert()
    file.write_bytes(content)


# By the names that --format takes.
FORMATS = {
    "saved_model": Format(_write_saved_model, unrolled=False, packages=()),
    "onnx": Format(_write_onnx, unrolled=False, packages=("onnx", "tf2onnx")),
    "litert": Format(_write_litert, unrolled=True, packages=()),
}
