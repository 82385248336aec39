"""keras.applications as functions from raw frames to features, with the preprocessing each expects."""

from collections.abc import Callable

import keras

from deepfake_tfdata.errors import UserError

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STDDEV = (0.229, 0.224, 0.225)


def application(
    constructor: Callable[..., keras.Model], images: keras.KerasTensor, imagenet: bool
) -> keras.KerasTensor:
    """One whose preprocessing is part of its graph, the same with and without ImageNet weights.

    Args:
        constructor: a member of keras.applications.
        images: [N, H, W, 3], 0..255 unless its preprocessing was already applied.
        imagenet: whether to load ImageNet weights, which may download them.

    Returns:
        [N, F] features, averaged over space.

    Raises:
        UserError: the weights could not be downloaded.
    """
    return _construct(constructor, images, imagenet).output


def xception(images: keras.KerasTensor, imagenet: bool) -> keras.KerasTensor:
    """Xception, which expects -1..1. Arguments and result as in `application`."""
    images = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(images)
    return application(keras.applications.Xception, images, imagenet)


def efficientnet(
    constructor: Callable[..., keras.Model], images: keras.KerasTensor, imagenet: bool
) -> keras.KerasTensor:
    """EfficientNetB0 to B7, always in the graph that keras.applications builds without weights.

    With weights="imagenet" keras.applications adds a second Rescaling behind the Normalization (see
    `square_published_variance`). Here that layer is folded into the variance, so that there is one graph, and
    weights saved from it mean the same wherever they are loaded. Arguments and result as in `application`.
    """
    model = _construct(constructor, images, imagenet=False)
    mean: object = IMAGENET_MEAN
    variance: object = [stddev**2 for stddev in IMAGENET_STDDEV]
    if imagenet:
        published = _construct(constructor, keras.Input(images.shape[1:]), imagenet=True)
        model.set_weights(published.get_weights())
        mean, variance = _folded_normalization(published)
    for layer in _normalizations(model):
        _set_normalization(layer, mean, variance)
    return model.output


def square_published_variance(model: keras.Model) -> None:
    """Corrects, in place, EfficientNet weights that keras.applications published and a file brought in.

    They hold ImageNet's standard deviations where the Normalization's variances belong. keras.applications
    makes up for it with a second Rescaling, in the graph of weights="imagenet" only (tensorflow#49930). Their
    file loads without a word into the graph that has none, and would scale its input wrongly.

    Args:
        model: a backbone. One without these values is left as it is.
    """
    for layer in _normalizations(model):
        variance = keras.ops.convert_to_numpy(layer.adapt_variance)
        if abs(variance - IMAGENET_STDDEV).max() < 1e-3:
            _set_normalization(layer, layer.adapt_mean, variance**2)


def _construct(
    constructor: Callable[..., keras.Model], images: keras.KerasTensor, imagenet: bool
) -> keras.Model:
    weights = "imagenet" if imagenet else None
    try:
        return constructor(include_top=False, weights=weights, input_tensor=images, pooling="avg")
    except Exception as error:  # keras.utils.get_file raises a bare Exception
        if not _is_download_failure(error):
            raise
        reason = str(error).splitlines()[0]
        raise UserError(
            f"--weights=imagenet could not be downloaded ({reason}); "
            "use --weights=none, or --weights=FILE with a file fetched elsewhere"
        ) from error


def _is_download_failure(error: Exception) -> bool:
    return isinstance(error, OSError) or "URL fetch failure" in str(error) or "corrupted file" in str(error)


def _normalizations(model: keras.Model) -> list[keras.layers.Normalization]:
    """Those whose statistics are weights; EfficientNetV2's are constants of its graph."""
    return [
        layer
        for layer in model.layers
        if isinstance(layer, keras.layers.Normalization) and hasattr(layer, "adapt_variance")
    ]


def _folded_normalization(published: keras.Model) -> tuple[object, object]:
    """Mean and variance that do alone what Normalization and the Rescaling after it do in `published`."""
    (normalization,) = _normalizations(published)
    rescaling = published.layers[published.layers.index(normalization) + 1]
    return normalization.adapt_mean, normalization.adapt_variance / keras.ops.square(rescaling.scale)


def _set_normalization(layer: keras.layers.Normalization, mean: object, variance: object) -> None:
    layer.adapt_mean.assign(mean)
    layer.adapt_variance.assign(variance)
    layer.finalize_state()  # the layer computes with constants made from the two
