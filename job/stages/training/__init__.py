"""Training: search, refit, out-of-fold predictions, calibration and the decision threshold.

The published model is the model that the run publishes if the gate accepts it.
"""
