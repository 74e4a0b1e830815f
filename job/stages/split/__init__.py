"""Which rows are trained on and which are judged, and in which folds."""
