"""What a run can be told, section by section."""
