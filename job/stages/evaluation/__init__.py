"""Evaluation: scores, intervals and reports, computed from predictions of test rows.

The published model is the model that the run publishes if the gate accepts it.
"""
