"""The input data: ingestion, validation, leakage keys, persons and slices."""
