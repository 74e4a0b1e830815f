"""What comes in: ingestion, validation, keys against leakage, slices."""
