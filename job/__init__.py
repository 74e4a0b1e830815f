"""Retrain the privacy-intent classifier: one curated table in, one judged model version out.

Start at `job.pipeline`, which is a whole run on one screen.  It calls the `stages`, which turn
values into values; what touches a file, a table format or a service lives in `adapters`; the
words they share are in `contracts`; failures and their exit codes are in `errors`.  `cli` reads
the settings, builds the adapters, and is the only room that exits.
"""

__version__ = "0.1.0"
