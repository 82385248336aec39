"""The input pipeline against libjpeg-turbo and against other loaders; see __main__."""
