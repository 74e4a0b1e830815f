"""Predict with the plain form of a published version: texts, and tables of any size."""
