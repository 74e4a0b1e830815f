"""The objects inside a fitted model."""

from sklearn.base import BaseEstimator


def list_objects(value):
    """Return every scikit-learn object inside a model, depth first."""
    if isinstance(value, (list, tuple)):
        return [part for item in value for part in list_objects(item)]
    if isinstance(value, dict):
        return list_objects(list(value.values()))
    if isinstance(value, BaseEstimator) or type(value).__module__.startswith("sklearn."):
        return [value, *list_objects(list(getattr(value, "__dict__", {}).values()))]
    return []
