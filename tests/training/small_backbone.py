"""A backbone that is traced in no time."""

import keras


def small_backbone():
    """Two blocks, one of them residual, with all that a segment could get wrong."""
    x = images = keras.Input((8, 8, 3), dtype="uint8", name="images")
    x = keras.layers.Rescaling(1 / 255, dtype="float32")(x)
    for residual in (False, True):
        wide = keras.layers.Conv2D(64, 1)(x)
        wide = keras.layers.BatchNormalization(momentum=0.5)(wide)
        wide = keras.layers.Activation("relu")(wide)
        wide = keras.layers.Dropout(0.5, noise_shape=(None, 1, 1, None))(wide)
        narrow = keras.layers.Conv2D(4, 3, padding="same")(wide)
        x = keras.layers.Add()([x, narrow]) if residual else narrow
    return keras.Model(images, keras.layers.GlobalAveragePooling2D()(x), name="backbone")
