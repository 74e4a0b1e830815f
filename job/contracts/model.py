"""The classifiers of a run: protocols for scikit-learn's classifiers, and the trained model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from job.contracts.settings.search import FeatureBlocks

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class Estimator(Protocol):
    """A scikit-learn classifier; `classes_` exists after `fit`, which may take group ids."""

    classes_: npt.NDArray[np.str_]

    def get_params(self) -> Mapping[str, object]:
        """Return the parameters by name."""

    def predict(self, X: object) -> npt.NDArray[np.str_]:
        """Return the class of each row, shape (n_samples,)."""


@runtime_checkable
class Classifier(Estimator, Protocol):
    """A fitted classifier that predicts probabilities."""

    def predict_proba(self, X: object) -> npt.NDArray[np.float64]:
        """Return probabilities of shape (n_samples, n_classes), one column for each class."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedModel:
    """The fitted pipeline of the chosen candidate, and baselines fitted to the same rows.

    Attributes
    ----------
    feature_blocks
        Kinds of input columns that the pipeline and the baselines take, such as `embeddings` or
        `text`.
    """

    estimator: str
    parameters: tuple[tuple[str, object], ...]
    feature_blocks: FeatureBlocks
    pipeline: Classifier
    baselines: tuple[tuple[str, Classifier], ...]
