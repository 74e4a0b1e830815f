"""Settings of the search for a model."""

import math
from typing import Any, Literal

from pydantic import Field, field_validator

from job.contracts.metrics import Metric
from job.contracts.settings.base import Spec

FeatureName = Literal["text", "embeddings", "numeric", "categorical", "boolean"]
FeatureBlocks = tuple[FeatureName, ...]


class SearchSpec(Spec):
    """Candidates, and how they are compared."""

    metric: Metric = Field(
        "f1_macro",
        validate_default=True,
        description="Metric by which the search chooses the candidate and the gate compares it "
        "with the champion.",
    )
    choose_on: Literal["table", "challenge"] = Field(
        "table",
        description="Rows on which the candidate is chosen. `table`: cross-validation on the "
        "training rows. `challenge`: the challenge set. The scores on the challenge set are then "
        "too high, unless `evaluation.challenge_split` is `half`.",
    )
    folds: int = Field(
        3,
        ge=2,
        le=20,
        description="Number of cross-validation folds. Whole groups stay together, and the folds "
        "are stratified by class.",
    )
    method: Literal["grid", "random"] = Field(
        "grid",
        description="`grid`: try all combinations of the grids. `random`: try `search.n_iter` of "
        "them.",
    )
    n_iter: int = Field(
        10, ge=1, description="Number of candidates to draw with `search.method: random`."
    )
    estimators: dict[str, dict[str, tuple[Any, ...]]] = Field(
        default={"logistic_regression": {}, "linear_svc": {}},
        min_length=1,
        description="Estimators to try, each with its grid, such as `{linear_svc: {C: [1, 10]}}`. "
        "An empty grid stands for the default grid of the estimator.",
    )
    prefer: Literal["auto", "score", "wording"] = Field(
        "auto",
        description="`score`: choose the candidate with the best score. `wording`: also try "
        "`prototypes`, and choose them unless the score of another candidate is more than "
        "0.15 higher. Prototypes generalize better to other wording, which cross-validation on "
        "templates cannot show. "
        "`wording` needs an input that consists only of embeddings. `auto`: `wording` if most rows "
        "come from sentence templates, and each embedding has length 1 or is restored to length 1; "
        "otherwise `score`.",
    )
    class_weight: Literal["balanced"] | None = Field(
        None,
        description="`balanced`: weight classes by inverse frequency. Unset: all rows have the "
        "same weight.",
    )
    calibration: Literal["sigmoid", "temperature"] = Field(
        "sigmoid",
        description="How to calibrate the probabilities of `linear_svc`. `sigmoid`: Platt scaling. "
        "`temperature`: temperature scaling. scikit-learn 1.4.2 cannot load a model that is "
        "calibrated with `temperature`, so `compatible_with` in metadata.json is then empty.",
    )
    temperature: bool = Field(
        True,
        description="Whether to scale the logits of a chosen `logistic_regression` or "
        "`prototypes` by a temperature fitted to out-of-fold predictions. Probabilities change; "
        "the ranking of the classes does not.",
    )
    engine: Literal["fast", "reference"] = Field(
        "fast",
        description="`fast`: fit all linear models of a fold together. `reference`: fit each model "
        "with scikit-learn.",
    )
    inputs: tuple[FeatureBlocks, ...] = Field(
        (),
        description="Combinations of feature blocks to choose among, such as `[[text], [text, "
        "embeddings]]`. All blocks must be in `features.use`. `[]`: `features.use` only.",
    )
    halving_factor: int | None = Field(
        None,
        ge=2,
        description="Factor of successive halving. With factor N, each round keeps the best 1/N of "
        "the candidates and uses N times as many rows. Unset: all candidates are evaluated on all "
        "rows.",
    )
    max_seconds: float | None = Field(
        None,
        gt=0,
        description="Time budget of the search, in seconds. Once the budget is used up, the search "
        "finishes the current fold, stops, and keeps the best candidate so far. Results are then "
        "not reproducible. Unset: no limit.",
    )
    max_memory: int | None = Field(
        None,
        ge=0,
        description="Maximum size of an embedding matrix in memory, in bytes. Larger matrices are "
        "memory-mapped files in TMPDIR. This works only if the number of rows is known before "
        "reading (Parquet). Unset: all matrices are in memory.",
    )
    workers: int | None = Field(
        None,
        ge=1,
        description="Number of models to fit in parallel. Unset: the number of CPUs that the "
        "process may use.",
    )

    @field_validator("inputs", mode="before")
    @classmethod
    def _lists_of_lists(cls, value: object) -> object:
        if isinstance(value, (list, tuple)) and any(isinstance(item, str) for item in value):
            raise ValueError(
                "each input must be a list of feature blocks, as in [[text], [text, embeddings]]"
            )
        return value

    @field_validator("inputs")
    @classmethod
    def _differ(cls, value: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
        sets = [frozenset(blocks) for blocks in value]
        if any(not blocks for blocks in sets):
            raise ValueError("each input must have at least one feature block")
        for blocks in value:
            name = f"input [{', '.join(blocks)}]"
            if sets.count(frozenset(blocks)) > 1:
                raise ValueError(f"{name} is listed twice; list each combination once")
            if len(set(blocks)) < len(blocks):
                raise ValueError(f"{name} names a feature block twice; name each block once")
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
            raise ValueError(f"the grid of '{name}' has no values; expected at least one")
        if not all(math.isfinite(value) for value in values if isinstance(value, float)):
            raise ValueError(f"the grid of '{name}' must not contain infinite or NaN values")
    return lists
