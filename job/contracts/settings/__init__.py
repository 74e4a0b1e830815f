"""The settings of a run, one module a section."""
