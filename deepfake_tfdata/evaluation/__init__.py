"""How good a detector is: metrics with honest intervals, comparisons and reports, from arrays of scores."""
