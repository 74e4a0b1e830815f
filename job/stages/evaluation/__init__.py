"""Evaluation: what the predictions of judged rows amount to."""
