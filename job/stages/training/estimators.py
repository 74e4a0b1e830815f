"""The estimators that can be searched by name, each with a default grid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from sklearn.calibration import CalibratedClassifierCV
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from job.contracts.messages import did_you_mean, quote_list
from job.contracts.settings.search import SearchSpec
from job.errors import ConfigurationError
from job.stages.training.prototypes import Prototypes

GRIDS: Final[Mapping[str, Mapping[str, tuple[Any, ...]]]] = {
    "logistic_regression": {"C": (1.0, 10.0, 100.0)},
    "linear_svc": {"C": (0.1, 1.0, 10.0)},
    "dummy": {"strategy": ("prior",)},
    "prototypes": {"n_centers": (80,), "temperature": (0.05, 0.1)},
}


def make_classifier(name: str, parameters: Mapping[str, Any], spec: SearchSpec, seed: int) -> Any:
    """Return an unfitted classifier; raises `ConfigurationError` for an unknown parameter."""
    weight = {} if name == "dummy" else {"class_weight": spec.class_weight}
    values = {**weight, "random_state": seed, **_DEFAULTS[name], **parameters}
    known = sorted(_CLASSES[name]().get_params())
    for parameter in parameters:
        if parameter not in known:
            raise ConfigurationError(
                f"search.estimators.{name} has no parameter '{parameter}'"
                f"{did_you_mean(parameter, known)}",
                hint=f"its parameters are {quote_list(known)}",
            )
    return _CLASSES[name](**values)


@contextmanager
def translate_value_errors(name: str) -> Iterator[None]:
    """Raise `ConfigurationError` for a `ValueError` that a value in the operator's grid caused."""
    try:
        yield
    except ValueError as error:
        raise ConfigurationError(
            f"search.estimators.{name}: {error}", hint="correct the grid"
        ) from None


_CLASSES: Final[Mapping[str, Any]] = {
    "logistic_regression": LogisticRegression,
    "linear_svc": LinearSVC,
    "dummy": DummyClassifier,
    "prototypes": Prototypes,
}
_DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    # with the default tolerance of 1e-4, two solvers disagree on one label in fifty
    "logistic_regression": {"max_iter": 1000, "tol": 1e-6},
    "linear_svc": {"max_iter": 5000, "tol": 1e-5},
    "dummy": {},
    "prototypes": {},
}


def with_calibration(classifier: Any, folds: Sequence[tuple[Any, Any]], method: str) -> Any:
    """Wrap a LinearSVC in a calibration on the given folds; return other classifiers unchanged.

    `sigmoid` fits a sigmoid curve to each class (Platt 1999); `temperature` fits a single number
    and preserves the ranking of the classes (Guo et al. 2017).
    """
    if not isinstance(classifier, LinearSVC):
        return classifier
    return CalibratedClassifierCV(classifier, method=method, cv=folds, ensemble=False)
