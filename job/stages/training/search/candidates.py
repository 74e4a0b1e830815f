"""Spell the candidates out, and cut the folds that they are tried in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sklearn.model_selection import ParameterGrid, ParameterSampler

from job.contracts.settings.search import FeatureBlocks, SearchSpec
from job.errors import ConfigurationError
from job.stages.training.estimators import GRIDS, make_classifier, translate_value_errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An estimator by name, its parameters, and the feature blocks that it is given."""

    estimator: str
    parameters: tuple[tuple[str, Any], ...]
    feature_blocks: FeatureBlocks

    def build(self, spec: SearchSpec, random_state: int) -> Any:
        """Build the classifier, unfitted; raises `ConfigurationError` for an unknown parameter."""
        return make_classifier(self.estimator, dict(self.parameters), spec, random_state)


def list_candidates(
    spec: SearchSpec, feature_blocks: FeatureBlocks, random_state: int
) -> list[Candidate]:
    """Spell the grids out for every input, or draw from them.

    Parameters
    ----------
    use
        The input where `spec.inputs` names none.

    Raises
    ------
    ConfigurationError
        An estimator has no such parameter, refuses its value, or does not take such an input.
    """
    grids = {name: dict(grid or GRIDS[name]) for name, grid in spec.estimators.items()}
    every = [
        Candidate(estimator=name, parameters=tuple(sorted(point.items())), feature_blocks=some)
        for some in spec.inputs or (feature_blocks,)
        for name in grids
        if name != "prototypes" or "text" not in some
        for point in ParameterGrid(grids[name])
    ]
    if not every:
        raise ConfigurationError(
            "search.estimators.prototypes takes no text: it needs dense inputs",
            hint="search other estimators, or set features.use (or search.inputs) without text",
        )
    for candidate in every:
        with translate_value_errors(candidate.estimator):
            candidate.build(spec, random_state)._validate_params()
    if spec.method == "grid" or len(every) <= spec.n_iter:
        return every
    sampler = ParameterSampler({"n": range(len(every))}, spec.n_iter, random_state=random_state)
    return [every[n] for n in sorted(point["n"] for point in sampler)]
