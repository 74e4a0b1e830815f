"""Implementations of the executor, which runs fits."""
