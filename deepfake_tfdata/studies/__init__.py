"""The experiment: what is trained and set against each other, fixed before any test score exists."""
