"""List the numbers of a published model by path, to compare two versions."""

import numpy as np
from scipy import sparse


def list_numbers(value, path="model"):
    """Return every number and numeric array inside a decoded pipeline; of sparse ones, the values.

    Names and texts are left out; the vocabulary of a vectorizer counts as its column numbers.

    Returns
    -------
    numbers
        Path, such as `model.steps[0][1].kw_args['c']`, to an array of double precision.
    """
    if isinstance(value, np.ndarray | np.generic | int | float | bool):
        array = np.asarray(value)
        return {path: array.astype(np.float64)} if array.dtype.kind in "biuf" else {}
    if sparse.issparse(value):
        return {path: value.data.astype(np.float64)}
    return {
        name: array
        for step, part in _list_parts(value)
        for name, array in list_numbers(part, f"{path}{step}").items()
    }


def _list_parts(value):
    """Return the parts of a container or of an object, with what leads to each of them."""
    if isinstance(value, list | tuple):
        return [(f"[{n}]", part) for n, part in enumerate(value)]
    if isinstance(value, dict):
        return [(f"[{key!r}]", part) for key, part in value.items()]
    if type(value).__module__.startswith("sklearn.") and hasattr(value, "__dict__"):
        return [(f".{name}", part) for name, part in vars(value).items()]
    return []


def subtract_numbers(one, other):
    """Return the difference of every array that stands in both models with the same shape."""
    first, second = list_numbers(one), list_numbers(other)
    return {
        path: first[path] - second[path]
        for path in sorted(first.keys() & second.keys())
        if first[path].shape == second[path].shape
    }
