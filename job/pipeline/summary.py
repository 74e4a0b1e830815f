"""Summarize a run for the result of `pcc-job run`."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Final

from job.contracts.reports.evaluation import CandidateEvaluation
from job.contracts.reports.headline import ChampionDifference, HeadlineScore, WeakestClass
from job.contracts.reports.results import (
    Outcome,
    RunDataset,
    RunResult,
)
from job.contracts.settings.store import StoreSpec
from job.contracts.version_files import REPORT_FILE
from job.pipeline.intake import Tables
from job.pipeline.judge_candidate import Verdict
from job.pipeline.run_context import RunContext
from job.pipeline.train_candidate import TrainedCandidate

_DEFAULT_STORE: Final = StoreSpec().uri


def summarize_candidate(
    context: RunContext,
    tables: Tables,
    outcome: Outcome,
    candidate: TrainedCandidate,
    verdict: Verdict,
    *,
    version: str | None = None,
    reason: str | None = None,
) -> RunResult:
    """Return the result of a run whose candidate was evaluated and judged."""
    evaluation, metric = candidate.evaluation, context.settings.search.metric.name
    result = summarize(context, tables, outcome, evaluation.scores, version=version, reason=reason)
    return result.copy_with(
        score=_find_score(evaluation, metric),
        champion=_find_champion(verdict),
        weakest_class=_find_weakest_class(evaluation),
        unmet_criteria=tuple(verdict.decision.reasons),
    )


def summarize(
    context: RunContext,
    tables: Tables,
    outcome: Outcome,
    scores: Mapping[str, float],
    *,
    version: str | None = None,
    reason: str | None = None,
) -> RunResult:
    """Return the result of a run; `scores` are empty if no candidate was evaluated."""
    recorder, settings = context.recorder, context.settings
    run_id, store_uri = context.plan.run_id, context.ports.store.uri
    metric = settings.search.metric.name
    return RunResult(
        run_id=run_id,
        outcome=outcome,
        version=version,
        store_uri=store_uri,
        scores=scores,
        dataset=RunDataset.of(tables.dataset),
        stages=dict(recorder.stages),
        duration_seconds=recorder.duration_seconds,
        reason=reason,
        override=recorder.facts.override,
        channel=None if version is None else settings.publish.channel,
        score=HeadlineScore(metric=metric, value=scores[metric]) if metric in scores else None,
        report_uri=None if version is None else f"{store_uri}/{version}/{REPORT_FILE}",
        next_command=None
        if outcome == "held_back"
        else _report_command(version or run_id, settings.store.uri),
    )


def _report_command(name: str, store_uri: str) -> str:
    store = () if store_uri == _DEFAULT_STORE else ("--store", store_uri)
    return shlex.join(("pcc-job", "report", name, "--open", *store))


def _find_score(evaluation: CandidateEvaluation, metric: str) -> HeadlineScore | None:
    if metric not in evaluation.scores:
        return None
    interval = evaluation.intervals.scores.get(metric)
    return HeadlineScore(
        metric=metric,
        value=evaluation.scores[metric],
        lower=None if interval is None else interval.lower,
        upper=None if interval is None else interval.upper,
        level=None if interval is None else evaluation.intervals.level,
    )


def _find_champion(verdict: Verdict) -> ChampionDifference | None:
    comparisons = [c for c in verdict.decision.comparisons if c.role == "champion"]
    if not comparisons:
        return None
    first = comparisons[0]
    return ChampionDifference(
        version=first.version,
        metric=first.metric,
        difference=first.difference,
        problem=first.problem,
    )


def _find_weakest_class(evaluation: CandidateEvaluation) -> WeakestClass | None:
    """Return the class with the lowest recall; of several, the first by name."""
    if not evaluation.per_class:
        return None
    name, scores = min(evaluation.per_class.items(), key=lambda item: (item[1].recall, item[0]))
    return WeakestClass(name=name, recall=scores.recall, n_rows=scores.n_test)
