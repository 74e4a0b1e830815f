"""The gate: its criteria, and the comparison with the champion and the anchor."""
