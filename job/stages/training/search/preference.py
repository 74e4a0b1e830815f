"""Which estimators are searched and preferred if most rows come from sentence templates.

Cross-validation on templates favors models that learn the templates.  A linear model, for example,
classifies held-out templates almost without error, but misclassifies a third or more of the
requests that people write in their own words.  Similarity-based estimators are slightly worse on
templates, but much better on other wording (docs/adr/0024).

How it works
------------
1. If most rows come from templates and the embeddings have unit length, `search.prefer: auto` means
   `wording`, and prototypes are added to the searched estimators.
2. When a candidate is chosen, candidates whose estimators are robust to wording are preferred
   (`job.stages.training.search.choice`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from job.contracts.reports.geometry import Status
from job.contracts.reports.search import CandidateScore, Preference
from job.contracts.settings.job_settings import TrainingSpec
from job.stages.training.estimators import ESTIMATOR_KINDS, find_kind

HAS_UNIT_ROWS: Final[Collection[Status]] = ("restored", "one_length")
_INPUT: Final = ("embeddings",)


def resolve_preference(
    spec: TrainingSpec, *, is_templated: bool, geometry: Status | None
) -> TrainingSpec:
    """Resolve `search.prefer: auto`, and add prototypes to the search if wording is preferred.

    Parameters
    ----------
    is_templated
        Whether most rows come from sentence templates.
    geometry
        Whether the embeddings' rows have length 1 or can be mapped back to length 1.  Prototypes
        help only in these two cases; otherwise, `auto` becomes `score`.
    """
    search = spec.search
    is_useful = is_templated and geometry in HAS_UNIT_ROWS
    is_requested = search.prefer == "wording" or (search.prefer == "auto" and is_useful)
    is_possible = _INPUT in (search.inputs or (spec.features.use,))
    if not is_requested or not is_possible:
        return spec.model_copy(update={"search": search.model_copy(update={"prefer": "score"})})
    added: dict[str, dict[str, tuple[Any, ...]]] = {
        name: {}
        for name, kind in ESTIMATOR_KINDS.items()
        if kind.is_robust_to_wording and name not in search.estimators
    }
    update = {"prefer": "wording", "estimators": {**search.estimators, **added}}
    return spec.model_copy(update={"search": search.model_copy(update=update)})


def find_preferred(candidates: Sequence[CandidateScore], prefers: Preference) -> list[int]:
    """Return the positions of the candidates whose estimators are robust to wording.

    The list is empty if `prefers` is `score`.
    """
    if prefers == "score":
        return []
    return [n for n, c in enumerate(candidates) if find_kind(c.estimator).is_robust_to_wording]
