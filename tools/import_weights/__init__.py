"""Weights of networks in PyTorch, as weights files of our backbones."""
