"""Hold a candidate against floors and the champion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from job.contracts.reports import Criterion, GateDecision
from job.contracts.specs import GateSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class ChampionComparison:
    """Champion and candidate on rows that neither was trained on.

    `problem` says why there are no scores, where there are none.
    """

    version: str
    n_rows: int
    champion_score: float | None
    candidate_score: float | None
    problem: str = ""


def decide(
    scores: Mapping[str, float],
    latency: Mapping[str, float],
    n_model_bytes: int,
    comparison: ChampionComparison | None,
    spec: GateSpec,
) -> GateDecision:
    """Judge; equal to a floor is enough, and a missing score is not."""
    criteria = [
        _at_least(name, scores.get(name), floor)
        for name, floor in spec.floors.model_dump().items()
        if floor is not None
    ]
    criteria.append(_at_most("model_bytes", n_model_bytes, spec.model_bytes, is_binding=True))
    criteria.append(
        _at_most(
            "latency_p95_ms",
            latency["p95_ms"],
            spec.latency_p95_ms,
            is_binding=spec.latency_severity == "reject",
        )
    )
    if comparison is not None:
        criteria.append(_against_champion(comparison, spec))
    return GateDecision(criteria=tuple(criteria))


def _at_least(name: str, value: float | None, floor: float) -> Criterion:
    is_met = value is not None and value >= floor
    found = "not measured" if value is None else f"{value:.4f}"
    return Criterion(
        name=name,
        value=value,
        threshold=floor,
        is_met=is_met,
        is_binding=True,
        reason=f"{name} {found}, at least {floor} is wanted",
    )


def _at_most(name: str, value: float, ceiling: float, *, is_binding: bool) -> Criterion:
    return Criterion(
        name=name,
        value=value,
        threshold=ceiling,
        is_met=value <= ceiling,
        is_binding=is_binding,
        reason=f"{name} {value:g}, at most {ceiling:g} is wanted",
    )


def _against_champion(comparison: ChampionComparison, spec: GateSpec) -> Criterion:
    champion, candidate = comparison.champion_score, comparison.candidate_score
    if champion is None or candidate is None:
        return Criterion(
            name="champion",
            value=None,
            threshold=None,
            is_met=False,
            is_binding=spec.incomparable_champion == "reject",
            reason=f"champion {comparison.version} cannot be compared: {comparison.problem}",
        )
    least = champion - spec.margin
    return Criterion(
        name="champion",
        value=candidate,
        threshold=least,
        is_met=candidate >= least,
        is_binding=True,
        reason=f"{candidate:.4f} where champion {comparison.version} scores {champion:.4f} on the "
        f"same {comparison.n_rows} rows; at least {least:.4f} is wanted",
    )
