"""The experiment: which detectors are trained and set against each other, fixed before any test score "
"exists."""
