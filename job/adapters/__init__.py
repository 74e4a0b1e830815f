"""Adapters to files, services and libraries: one module each, the only importer of a client."""
