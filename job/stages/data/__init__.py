"""The input data: ingestion, validation, leakage keys and slices."""
