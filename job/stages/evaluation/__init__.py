"""Evaluation: scores, intervals and reports, computed from predictions of test rows.

In these modules, "the published model" is the one that the run publishes if the gate accepts it.
"""
