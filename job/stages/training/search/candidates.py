"""The candidates of the search: estimator, parameters and feature blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, Final

import numpy as np
from sklearn.model_selection import ParameterGrid, ParameterSampler

from job.contracts.settings.search import FeatureBlocks, SearchSpec
from job.errors import ConfigurationError
from job.stages.training.estimators import find_kind, translate_value_errors

_MAX_CANDIDATES: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A recipe to train a model: name of the estimator, parameters and feature blocks."""

    estimator: str
    parameters: tuple[tuple[str, object], ...]
    feature_blocks: FeatureBlocks

    def build(self, spec: SearchSpec, random_state: int) -> Any:
        """Return the unfitted classifier; raises `ConfigurationError` for an unknown parameter."""
        return find_kind(self.estimator).build(dict(self.parameters), spec, random_state)


def _list_parameters(point: Mapping[str, object]) -> tuple[tuple[str, object], ...]:
    """Return sorted pairs of name and value; NumPy scalars become Python values, for JSON."""
    plain = {k: v.item() if isinstance(v, np.generic) else v for k, v in point.items()}
    return tuple(sorted(plain.items()))


def _require_few(n_candidates: int) -> None:
    if n_candidates > _MAX_CANDIDATES:
        raise ConfigurationError(
            f"search.estimators has {n_candidates:,} combinations; expected at most "
            f"{_MAX_CANDIDATES:,}",
            hint="remove values from the grids",
        )


def list_candidates(
    spec: SearchSpec, feature_blocks: FeatureBlocks, random_state: int
) -> list[Candidate]:
    """Return all grid points of all estimators and inputs, or a random sample of them.

    Parameters
    ----------
    feature_blocks
        The only input of all candidates if `spec.inputs` is empty.

    Raises
    ------
    ConfigurationError
        There are too many candidates, or an estimator rejects a parameter, a value or an input.
    """
    kinds = {name: find_kind(name) for name in spec.estimators}
    grids = {name: dict(grid or kinds[name].default_grid) for name, grid in spec.estimators.items()}
    inputs = spec.inputs or (feature_blocks,)
    _require_few(len(inputs) * sum(prod(map(len, grid.values())) for grid in grids.values()))
    candidates = [
        Candidate(estimator=name, parameters=_list_parameters(point), feature_blocks=blocks)
        for blocks in inputs
        for name in grids
        if kinds[name].takes_text or "text" not in blocks
        for point in ParameterGrid(grids[name])
    ]
    if not candidates:
        raise ConfigurationError(
            f"search.estimators.{next(iter(kinds))} needs dense inputs, but texts are sparse",
            hint="use other estimators, or remove text from features.use or search.inputs",
        )
    for candidate in candidates:
        with translate_value_errors(candidate.estimator):
            candidate.build(spec, random_state)._validate_params()
    if spec.method == "grid" or len(candidates) <= spec.n_iter:
        return candidates
    sampler = ParameterSampler(
        {"n": range(len(candidates))}, spec.n_iter, random_state=random_state
    )
    return [candidates[n] for n in sorted(point["n"] for point in sampler)]
