"""What the job does: each stage turns values into a value, with at most one port."""
