"""MesoNet's Meso-4 (Afchar et al. 2018, arXiv 1809.00888, section III-A), the field's small baseline."""

import keras

from deepfake_tfdata.errors import UserError

# Filters, kernel side and pooling factor of each block (figure 4 of the paper, for 256 px input).
BLOCKS = ((8, 3, 2), (8, 5, 2), (16, 5, 2), (16, 5, 4))
# Keras' 0.99 needs a thousand steps to forget its initial variance of 1, which is far above these maps' own:
# after a few hundred steps a trained detector still guessed outside training mode.
BATCH_NORM_MOMENTUM = 0.9


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
    if imagenet:
        raise UserError("--weights=imagenet does not exist for meso4; use --weights=none")
    x = keras.layers.Rescaling(1 / 255)(images)
    for index, (filters, kernel_size, pool_size) in enumerate(BLOCKS, start=1):
        x = keras.layers.Conv2D(
            filters, kernel_size, padding="same", activation="relu", name=f"block{index}_conv"
        )(x)
        x = keras.layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM, name=f"block{index}_bn")(x)
        x = keras.layers.MaxPooling2D(pool_size, padding="same", name=f"block{index}_pool")(x)
    return keras.layers.GlobalAveragePooling2D(name="avg_pool")(x)
