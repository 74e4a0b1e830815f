"""The plain form of a model: numbers and names that any language can read, in one file.

`docs/model-format.md` specifies the file, `model.safetensors`.  This package knows numbers and
text only: NumPy, SciPy's sparse matrices, and pydantic for the file's JSON.
"""
