"""Estimator to bytes and back."""
