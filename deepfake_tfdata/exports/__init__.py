"""A trained detector for other programs: as SavedModel, ONNX or LiteRT, checked on real clips."""
