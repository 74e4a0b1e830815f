"""Metrics of predictions, the bootstrap over groups of rows, and confidence bounds."""
