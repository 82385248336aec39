"""A synthetic FaceForensics++: drawn talking heads, real H.264 files, a planted artefact in a known place."""
