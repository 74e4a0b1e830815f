"""What stages report, and what is published of it."""
