"""The estimators that can be searched by name: one `EstimatorKind` each.

To add an estimator, add its kind to `ESTIMATOR_KINDS` and run `make docs`.  Settings, search,
memory estimate and refit read this dict.  Libraries are imported when a classifier is built, so
that the names in a settings file can be checked without the libraries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Final

from job.contracts.messages import did_you_mean, quote, quote_list, shorten
from job.errors import ConfigurationError

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

    from job.contracts.arrays import Array
    from job.contracts.model import Estimator
    from job.contracts.settings.search import SearchSpec
    from job.solver.arrays import Matrix
    from job.stages.split.folds import Fold
    from job.stages.training.prototypes import RowGroups

    ListFits = Callable[
        [Sequence[Estimator], Matrix, Array, RowGroups], Sequence[Callable[[], None]]
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class FitMemory:
    """Bytes that one fit needs in addition to its matrix (from `python -m benchmarks.memory`).

    Attributes
    ----------
    per_cell
        Bytes for each value of a dense matrix.
    per_occurrence, per_coefficient
        Bytes for each entry of a sparse matrix, and for each pair of a class and a column.
    copies_matrix
        Whether `per_cell` includes a copy of the matrix.  The fast engine makes no such copy.
    """

    per_cell: int
    per_occurrence: int
    per_coefficient: int
    copies_matrix: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimatorKind:
    """An estimator that can be searched by name.

    Attributes
    ----------
    load
        Imports and returns the class, or a function that makes a classifier from keyword arguments.
        `class_weight` and `random_state` are passed if the class or function takes them.
    default_grid
        Grid if the settings have none.  Of each parameter, an unsearched baseline gets the first
        value.
    plain_values
        Allowed values of some parameters: only with these can the model be written as plain
        numbers.
    fixed_parameters
        Parameters whose values differ from the library's defaults; a grid can override them.
    needs_calibration
        Whether the classifier yields only decision values, so that a calibration must convert them
        to probabilities.
    takes_standardized
        Whether it takes standardized columns: true for linear models, whose published `coef_` and
        `intercept_` include the standardization, and for models that ignore their input.
    takes_text
        Whether it can be fitted to sparse matrices.
    ends_in_logistic_regression
        Whether the published pipeline ends in a logistic regression, so that temperature scaling
        can divide its coefficients.
    list_fits
        Returns tasks that fit several models of this kind to the same rows, in place; each task
        fits models that share work.  Arguments are the models, the matrix, the labels, and the
        groups of the rows.  None if `fit(X, y)` or the solver fits the models.
    export
        Returns the pipeline that replaces a fitted classifier in the model; None to keep the
        classifier itself.  The pipeline takes rows of length 1, and its last step, `classifier`, is
        a logistic regression.  It can be extended to batches that were standardized on their own
        rows.
    is_robust_to_wording
        Whether the estimator takes precedence if `search.prefer` is `wording`.
    is_constant
        Whether the estimator predicts the same for every row.
    """

    name: str
    load: Callable[[], Callable[..., Estimator]]
    default_grid: Mapping[str, tuple[object, ...]]
    memory: FitMemory
    plain_values: Mapping[str, tuple[object, ...]] = field(default_factory=dict)
    fixed_parameters: Mapping[str, object] = field(default_factory=dict)
    needs_calibration: bool = False
    takes_standardized: bool = False
    takes_text: bool = True
    ends_in_logistic_regression: bool = False
    list_fits: ListFits | None = None
    export: Callable[[Estimator], Pipeline] | None = None
    is_robust_to_wording: bool = False
    is_constant: bool = False

    def build(self, parameters: Mapping[str, object], spec: SearchSpec, seed: int) -> Estimator:
        """Return an unfitted classifier; raises `ConfigurationError` for an invalid parameter."""
        make = self.load()
        known = sorted(make().get_params())
        for parameter in parameters:
            if parameter not in known:
                raise ConfigurationError(
                    f"search.estimators.{self.name} has no parameter {quote(parameter)}"
                    f"{did_you_mean(parameter, known)}",
                    hint=f"use one of its parameters: {quote_list(known)}",
                )
        for parameter, allowed in self.plain_values.items():
            if parameters.get(parameter, allowed[0]) not in allowed:
                raise ConfigurationError(
                    f"search.estimators.{self.name}.{parameter} must be one of "
                    f"{quote_list(allowed)}",
                    hint="a model with another value has no form as plain numbers",
                )
        shared = {"class_weight": spec.class_weight, "random_state": seed}
        accepted = {name: value for name, value in shared.items() if name in known}
        return make(**{**accepted, **self.fixed_parameters, **parameters})

    def with_calibration(
        self, classifier: Estimator, folds: Sequence[Fold], method: str
    ) -> Estimator:
        """Add a calibration with these folds to a classifier that cannot predict probabilities.

        Other classifiers are returned unchanged.  `sigmoid` fits a sigmoid curve to each class
        (Platt 1999); `temperature` fits a single number and preserves the ranking of the classes
        (Guo et al. 2017).
        """
        from sklearn.calibration import CalibratedClassifierCV

        if not self.needs_calibration:
            return classifier
        calibrated: Estimator = CalibratedClassifierCV(
            classifier, method=method, cv=folds, ensemble=False
        )
        return calibrated


@contextmanager
def translate_value_errors(name: str) -> Iterator[None]:
    """Convert a `ValueError` that a grid causes in the `with` block to `ConfigurationError`."""
    try:
        yield
    except ValueError as error:
        raise ConfigurationError(
            f"search.estimators.{name}: {shorten(str(error), 500)}",
            hint=f"correct the grid in search.estimators.{name}",
        ) from None


def find_kind(name: str, setting: str = "search.estimators") -> EstimatorKind:
    """Return the `EstimatorKind` of this name; for an unknown name, the error names `setting`."""
    if name not in ESTIMATOR_KINDS:
        names = sorted(ESTIMATOR_KINDS)
        raise ConfigurationError(
            f"{setting}: unknown estimator {quote(name)}{did_you_mean(name, names)}; expected one "
            f"of {quote_list(names)}",
            hint="`pcc-job config schema` lists types and ranges",
        )
    return ESTIMATOR_KINDS[name]


def _import_class(module: str, name: str) -> Callable[..., Estimator]:
    make: Callable[..., Estimator] = getattr(import_module(module), name)
    return make


def _load_prototypes() -> Callable[..., Estimator]:
    from job.stages.training.prototypes import Prototypes

    return Prototypes


def _list_prototype_fits(
    models: Sequence[Estimator], X: Matrix, y: Array, groups: RowGroups
) -> list[Callable[[], None]]:
    from job.stages.training.prototypes import Prototypes, fit_prototypes, group_by_shared_centers

    prototypes = [model for model in models if isinstance(model, Prototypes)]
    return [
        partial(fit_prototypes, same, X, y, groups) for same in group_by_shared_centers(prototypes)
    ]


def _export_prototypes(model: Estimator) -> Pipeline:
    from job.stages.training.prototypes import Prototypes

    assert isinstance(model, Prototypes)
    return model.pipeline_


_KINDS: Final = (
    EstimatorKind(
        name="logistic_regression",
        load=partial(_import_class, "sklearn.linear_model", "LogisticRegression"),
        default_grid={"C": (1.0, 10.0, 100.0)},
        # with the default tolerance of 1e-4, two solvers disagree on one label in fifty
        fixed_parameters={"max_iter": 1000, "tol": 1e-6},
        memory=FitMemory(per_cell=2, per_occurrence=8, per_coefficient=160),
        takes_standardized=True,
        ends_in_logistic_regression=True,
    ),
    EstimatorKind(
        name="linear_svc",
        load=partial(_import_class, "sklearn.svm", "LinearSVC"),
        default_grid={"C": (0.1, 1.0, 10.0)},
        fixed_parameters={"max_iter": 5000, "tol": 1e-5},
        memory=FitMemory(per_cell=20, per_occurrence=20, per_coefficient=24),
        needs_calibration=True,
        takes_standardized=True,
    ),
    EstimatorKind(
        name="dummy",
        load=partial(_import_class, "sklearn.dummy", "DummyClassifier"),
        default_grid={"strategy": ("prior",)},
        # `stratified` draws random probabilities
        plain_values={"strategy": ("prior", "most_frequent", "constant", "uniform")},
        memory=FitMemory(per_cell=0, per_occurrence=0, per_coefficient=0, copies_matrix=False),
        takes_standardized=True,
        is_constant=True,
    ),
    EstimatorKind(
        name="prototypes",
        load=_load_prototypes,
        default_grid={"n_centers": (80,), "temperature": (0.05, 0.1)},
        memory=FitMemory(per_cell=16, per_occurrence=0, per_coefficient=24, copies_matrix=False),
        takes_text=False,
        ends_in_logistic_regression=True,
        list_fits=_list_prototype_fits,
        export=_export_prototypes,
        is_robust_to_wording=True,
    ),
)
ESTIMATOR_KINDS: Final[dict[str, EstimatorKind]] = {kind.name: kind for kind in _KINDS}
BASELINES: Final = ("logistic_regression", "dummy")  # reported with the chosen candidate
