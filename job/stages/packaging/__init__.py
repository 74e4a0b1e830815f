"""What is stated about a version in its metadata."""
