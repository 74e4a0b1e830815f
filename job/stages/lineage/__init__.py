"""Lineage: which rows a version was trained on, as digests that only the job's key explains."""
