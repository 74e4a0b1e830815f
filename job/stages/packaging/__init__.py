"""The files of a version: metadata, limitations and the bundle."""
