"""Training: search, refit, out-of-fold predictions, calibration and the decision threshold."""
