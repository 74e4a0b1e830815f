"""Evaluation: scores, intervals and reports, computed from predictions of test rows."""
