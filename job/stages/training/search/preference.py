"""Which estimators are tried, and preferred, where most rows come from sentence templates.

Cross-validation on templates prefers what learns templates: a hyperplane tells held-out ones apart
almost without an error, and is wrong on a third or more of requests that people put in their own
words.  Estimators that judge by what is near lose a few points on templates and far fewer on other
words (docs/adr/0024).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from job.contracts.reports.geometry import Status
from job.contracts.reports.search import CandidateScore, Preference
from job.contracts.settings.job_settings import TrainingSpec

ROBUST_TO_WORDING: Final[Collection[str]] = ("prototypes",)
HAS_UNIT_ROWS: Final[Collection[Status]] = ("restored", "one_length")
_INPUT: Final = ("embeddings",)


def resolve_preference(
    spec: TrainingSpec, *, is_templated: bool, geometry: Status | None
) -> TrainingSpec:
    """Return the settings with `search.prefer` decided, and the estimators that it asks for.

    Parameters
    ----------
    is_templated
        Whether most rows come from sentence templates.
    geometry
        Of the embeddings: prototypes gain nothing where rows have no length of 1 to be restored to.
    """
    search = spec.search
    is_useful = is_templated and geometry in HAS_UNIT_ROWS
    wants = search.prefer == "wording" or (search.prefer == "auto" and is_useful)
    can = _INPUT in (search.inputs or (spec.features.use,))
    if not wants or not can:
        return spec.model_copy(update={"search": search.model_copy(update={"prefer": "score"})})
    more: dict[str, dict[str, tuple[Any, ...]]] = {
        name: {} for name in ROBUST_TO_WORDING if name not in search.estimators
    }
    chosen = {"prefer": "wording", "estimators": {**search.estimators, **more}}
    return spec.model_copy(update={"search": search.model_copy(update=chosen)})


def find_preferred(candidates: Sequence[CandidateScore], prefers: Preference) -> list[int]:
    """Return the positions of candidates that come first: those that are robust to wording."""
    if prefers == "score":
        return []
    return [n for n, found in enumerate(candidates) if found.estimator in ROBUST_TO_WORDING]
