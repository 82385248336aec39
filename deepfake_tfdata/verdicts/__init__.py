"""A verdict on one video: every face judged with calibrated evidence, or an abstention with its reason."""
