"""Findings about the rows that a model is judged on."""
