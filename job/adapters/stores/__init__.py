"""Implementations of the artifact store: a folder, or an S3 bucket."""
