"""Whether a data set can be trusted: leaks between its splits, and shortcuts to its labels."""
