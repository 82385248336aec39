"""What a clip is: its regions, its specification, its split, and where a data set keeps its videos."""
