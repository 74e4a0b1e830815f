"""The challenge set: real requests that are never trained on; not the table's own hold-out."""
