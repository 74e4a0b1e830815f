"""Reports of the stages, and their published form."""
