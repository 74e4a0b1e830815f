"""Settings of a run, one module per section."""
