"""What looks at the frames: backbones, temporal heads, the assembled detector. Keras only, on any backend."""
