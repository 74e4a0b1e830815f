"""Lineage: which rows a version was trained on, as digests that are made with a secret key."""
