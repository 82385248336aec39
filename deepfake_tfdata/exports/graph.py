"""The graph that every format is made of: frames in, logit and attention out, weights and views within."""

from typing import Any, TypeAlias

import keras
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.views import view_named
from deepfake_tfdata.exports.rebuild import exportable
from deepfake_tfdata.input.views import view_of
from deepfake_tfdata.pixels import view_name
from deepfake_tfdata.scoring.export_file import ExportInput
from deepfake_tfdata.scoring.run_evaluation import scored_model

# A tf.function with one signature: from the frames of every input, in order, to the outputs by name.
Graph: TypeAlias = Any


def export_graph(
    detector: keras.Model,
    inputs: tuple[ExportInput, ...],
    spec: ClipSpec,
    view: str,
    frame_size: int,
    *,
    unroll: bool,
) -> Graph:
    """Makes the graph of a detector.

    Args:
        detector: as it was trained.
        inputs: that it has, in order.
        spec: of the clips.
        view: of native ones.
        frame_size: side of what the network sees, pixels.
        unroll: as in `exportable`.

    Returns:
        It has no variables; it takes uint8 [B, T, H, W, 3] an input, and gives "logit", float32
        [B], and "attention", float32 [B, T], where the head weighs frames.
    """
    model = scored_model(exportable(detector, unroll, _reduces(view)))
    signature = [tf.TensorSpec([None, *each.shape[1:]], tf.uint8, each.name) for each in inputs]

    def outputs(*frames: tf.Tensor) -> dict[str, tf.Tensor]:
        taken = dict(zip((each.name for each in inputs), frames, strict=True))
        for each in inputs if spec.geometry == "native" else ():
            sizes = tf.shape(taken[each.name], out_type=tf.int64)
            seen = view_of(sizes[2], sizes[3], view, each.region, spec, frame_size)
            taken[view_name(each.name)] = tf.repeat(seen[None], sizes[0], axis=0)
        logit, *attention = tf.nest.flatten(model(_as_the_model_takes(taken), training=False))
        return {"logit": logit, **({"attention": _over_frames(attention[0])} if attention else {})}

    traced = tf.function(outputs, input_signature=signature, autograph=False).get_concrete_function()
    names = sorted(traced.structured_outputs)  # TensorFlow's order of a dict's values
    # Constants: LiteRT reads variables that nobody has filled, and without a word.
    frozen = convert_variables_to_constants_v2(traced, lower_control_flow=False)
    return tf.function(
        lambda *frames: dict(zip(names, frozen(*frames), strict=True)),
        input_signature=signature,
        autograph=False,
    )


def _reduces(view: str) -> bool | None:
    """Whether a view reduces what it shows; None where that depends on the size of the frames."""
    retention = view_named(view).retention if view else 1.0
    return None if retention is None else retention < 1


def _as_the_model_takes(inputs: dict[str, tf.Tensor]) -> Any:
    return inputs if len(inputs) > 1 else next(iter(inputs.values()))


def _over_frames(attention: tf.Tensor) -> tf.Tensor:
    """[B, T] of [B, T], or of several regions' [B, R, T]."""
    return attention if attention.shape.rank == 2 else tf.reduce_sum(attention, axis=1)
