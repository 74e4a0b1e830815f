"""Render the HTML report, its figures and the model card from metadata and evaluation."""
