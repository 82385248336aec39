"""Time and memory of a detector's forward pass and training step, beside the same work in PyTorch."""
