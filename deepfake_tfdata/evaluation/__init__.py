"""How good a detector is: metrics with honest intervals, and comparisons, from arrays of scores."""
