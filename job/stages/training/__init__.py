"""Training: search, refit, out-of-fold predictions, calibration and the decision threshold.

In these modules, "the published model" is the one that the run publishes if the gate accepts it.
"""
