"""Conversion of estimators to bytes and back."""
