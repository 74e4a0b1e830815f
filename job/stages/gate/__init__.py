"""The gate: criteria, and the comparison with the champion and the anchor."""
