"""MesoNet's Meso-4 (Afchar et al. 2018, arXiv 1809.00888, section III-A), the field's small baseline."""

from pathlib import Path

import keras
from keras import layers, ops

from deepfake_tfdata.errors import UserError

# Filters, kernel side and pooling factor of each block (figure 4 of the paper, for 256 px input).
BLOCKS = ((8, 3, 2), (8, 5, 2), (16, 5, 2), (16, 5, 4))
# Keras' 0.99 needs a thousand steps to forget its initial variance of 1, which is far above these maps' own:
# after a few hundred steps a trained detector still guessed outside training mode.
BATCH_NORM_MOMENTUM = 0.9
# The side, in pixels, that the published dense layers need.
PUBLISHED_SIZE = 256


def meso4(images: keras.KerasTensor, imagenet: bool) -> keras.KerasTensor:
    """Meso-4's convolutional trunk.

    The paper flattens the last map into a dense layer of 16, which ties the network to 256 px. Averaging over
    space instead takes any frame size and leaves the classification to the temporal head.

    Args:
        images: [N, H, W, 3], 0..255.
        imagenet: must be False.

    Returns:
        [N, 16] features.

    Raises:
        UserError: ImageNet weights asked for.
    """
    return layers.GlobalAveragePooling2D(name="avg_pool")(_trunk(images, imagenet))


def published_meso4(images: keras.KerasTensor, imagenet: bool) -> keras.KerasTensor:
    """The whole network as published: each image is judged on its own.

    The last layer, as in github.com/DariusAf/MesoNet, gives the logit of *real*, which is turned around here;
    the weights stay as they are in the files of that repository.

    Args:
        images: [N, 256, 256, 3], 0..255.
        imagenet: must be False.

    Returns:
        [N, 1], float32, the logit of fake.

    Raises:
        UserError: frames of another size, or ImageNet weights asked for.
    """
    if images.shape[1] != PUBLISHED_SIZE:
        raise UserError(
            f"--head=published looks at frames of {PUBLISHED_SIZE} pixels, not {images.shape[1]}; use "
            f"--frame_size={PUBLISHED_SIZE}, in 'convert' for resized records"
        )
    x = layers.Flatten(name="flatten")(_trunk(images, imagenet))
    x = layers.Dropout(0.5, name="flatten_dropout")(x)
    x = layers.Dense(16, name="hidden")(x)
    x = layers.LeakyReLU(negative_slope=0.1, name="hidden_activation")(x)
    x = layers.Dropout(0.5, name="hidden_dropout")(x)
    real = layers.Dense(1, dtype="float32", name="real")(x)
    return ops.negative(real)


def is_meso4(backbone: keras.Model) -> bool:
    """Whether a backbone is one of the two above."""
    names = {layer.name for layer in backbone.layers}
    return {f"block{index}_bn" for index in range(1, len(BLOCKS) + 1)} <= names


def load_published_meso4(backbone: keras.Model, path: Path) -> None:
    """Loads a file of the authors' repository, such as Meso4_F2F.h5; a trunk takes what it has of it.

    Raises:
        ValueError: the file's layers are not those of Meso-4.
    """
    images = keras.Input((PUBLISHED_SIZE, PUBLISHED_SIZE, 3))
    published = keras.Model(images, published_meso4(images, imagenet=False))
    published.load_weights(path)
    for layer in backbone.layers:
        if layer.weights:
            layer.set_weights(published.get_layer(layer.name).get_weights())


def _trunk(images: keras.KerasTensor, imagenet: bool) -> keras.KerasTensor:
    """From images to the last map, a 32nd of their side, [N, h, w, 16]."""
    if imagenet:
        raise UserError("--weights=imagenet does not exist for meso4; use --weights=none")
    x = layers.Rescaling(1 / 255)(images)
    for index, (filters, kernel_size, pool_size) in enumerate(BLOCKS, start=1):
        x = layers.Conv2D(filters, kernel_size, padding="same", activation="relu", name=f"block{index}_conv")(
            x
        )
        x = layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM, name=f"block{index}_bn")(x)
        x = layers.MaxPooling2D(pool_size, padding="same", name=f"block{index}_pool")(x)
    return x
