"""Implementations of the executor port, which runs model fits."""
