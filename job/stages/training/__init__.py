"""Training: predictions by models that have not seen the row."""
