"""Settings of the search."""

import math
from typing import Any, Literal

from pydantic import Field, field_validator

from job.contracts.metrics import Metric
from job.contracts.settings.base import Spec

FeatureName = Literal["text", "embeddings", "numeric", "categorical", "boolean"]
FeatureBlocks = tuple[FeatureName, ...]


class SearchSpec(Spec):
    """Which candidates are tried, and how they are compared."""

    metric: Metric = Field(
        "f1_macro", validate_default=True, description="Score that chooses the candidate."
    )
    choose_on: Literal["table", "challenge"] = Field(
        "table",
        description="Rows that choose among the candidates: the folds of the table, or the "
        "challenge set, which is then used up for judging unless "
        "`evaluation.challenge_split` is `half`.",
    )
    folds: int = Field(3, ge=2, le=20, description="Folds, by group and class.")
    method: Literal["grid", "random"] = Field("grid", description="Whole grid, or a sample of it.")
    n_iter: int = Field(10, ge=1, description="Candidates drawn when the method is random.")
    estimators: dict[str, dict[str, tuple[Any, ...]]] = Field(
        default={"logistic_regression": {}, "linear_svc": {}},
        min_length=1,
        description="Estimators and their grids; `{}` is the estimator's default grid.",
    )
    prefer: Literal["auto", "score", "wording"] = Field(
        "auto",
        description="`score`: the candidate with the best score is chosen. `wording`: `prototypes` "
        "are tried besides, and chosen unless another candidate is clearly better: of templates a "
        "cross-validation does not show who understands requests in other words, and they do "
        "better there. Needs embeddings alone. `auto`: `wording` where most rows come from "
        "sentence templates, and embeddings have rows of length 1 or are restored to it.",
    )
    class_weight: Literal["balanced"] | None = Field(
        None, description="`balanced` weighs classes by inverse frequency."
    )
    calibration: Literal["sigmoid", "temperature"] = Field(
        "sigmoid",
        description="How `linear_svc` gets probabilities; scikit-learn 1.4.2 has no `temperature`.",
    )
    temperature: bool = Field(
        True,
        description="Divide the logits of a chosen `logistic_regression` or `prototypes` by one "
        "temperature, learned out of fold: probabilities change, the order of classes does not.",
    )
    engine: Literal["fast", "reference"] = Field(
        "fast",
        description="`fast`: all linear models of a fold at once; `reference`: each by "
        "scikit-learn alone.",
    )
    inputs: tuple[FeatureBlocks, ...] = Field(
        (),
        description="Inputs to choose among, as in `[[text], [text, embeddings]]`; each of blocks "
        "of `features.use`. Empty: `features.use` alone.",
    )
    halving_factor: int | None = Field(
        None,
        ge=2,
        description="Successive halving: each round keeps one of so many candidates, and takes so "
        "many times the rows. Unset: all candidates meet all rows.",
    )
    max_seconds: float | None = Field(
        None,
        gt=0,
        description="After the first fold that ends later than this, the search ends with the best "
        "so far; a clock does not repeat itself, so neither does such a search.",
    )
    max_memory: int | None = Field(
        None,
        ge=0,
        description="Largest matrix of embeddings alone, in bytes, that is held in memory; larger "
        "ones lie in files in TMPDIR, if the table says how many rows it has. Unset: none do.",
    )
    workers: int | None = Field(
        None, ge=1, description="Fits at a time; unset: the CPUs this process may use."
    )

    @field_validator("inputs", mode="before")
    @classmethod
    def _lists_of_lists(cls, value: object) -> object:
        if isinstance(value, (list, tuple)) and any(isinstance(item, str) for item in value):
            raise ValueError("an input is a list of blocks, as in [[text], [text, embeddings]]")
        return value

    @field_validator("inputs")
    @classmethod
    def _differ(cls, value: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
        sets = [frozenset(blocks) for blocks in value]
        if any(not blocks for blocks in sets):
            raise ValueError("an input has one feature block at least")
        if len(set(sets)) < len(sets) or any(len(set(b)) < len(b) for b in value):
            raise ValueError("an input or a block of it stands twice")
        return value

    @field_validator("estimators", mode="before")
    @classmethod
    def _grids_are_lists(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {name: _parse_grid(grid) for name, grid in value.items()}


def _parse_grid(grid: object) -> object:
    if grid is None:
        return {}
    if not isinstance(grid, dict):
        return grid
    lists = {k: v if isinstance(v, (list, tuple)) else [v] for k, v in grid.items()}
    for name, values in lists.items():
        if not values:
            raise ValueError(f"the grid of '{name}' has no value")
        if not all(math.isfinite(value) for value in values if isinstance(value, float)):
            raise ValueError(f"the grid of '{name}' is to have finite numbers")
    return lists
