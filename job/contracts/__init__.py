"""Shared values and ports, without I/O, clock or environment."""
