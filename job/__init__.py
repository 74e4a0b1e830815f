"""Retrain the classifier of privacy requests: read a curated table, publish a model version.

Start at `job.pipeline`, which shows a complete run on one screen.  It calls the `stages`, which
are functions of values.  Access to files, table formats and services is in `adapters`, shared
types are in `contracts`, and errors with their exit codes are in `errors`.  `cli` reads the
settings, builds the adapters, and is the only package that exits the process.
"""

__version__ = "0.1.0"
