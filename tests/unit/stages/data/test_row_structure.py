"""Rows in cells are a warning up to the tolerance of the suite, and beyond it stop the run."""

from support.datasets import dataset_of  # noqa: F401
