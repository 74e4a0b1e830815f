"""Keep a profile of the table, and hold the table against that of the champion."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from job.contracts.identity import canonical_json
from job.contracts.messages import pluralize
from job.contracts.plan import Plan
from job.contracts.ports import ArtifactStore, Ports
from job.contracts.reports.drift import DriftReport
from job.errors import ContractViolationError
from job.pipeline.intake import Tables, naming_rule
from job.recorder import Recorder
from job.registry.channels import read_channel
from job.stages.drift import TableProfile, TableSnapshot, keep, load_profile, measure_drift, observe
from job.stages.packaging.metadata import name_embedding_model
from job.stages.split.split import DataSplit

log = structlog.get_logger(__name__)
_MAX_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """The table as it is kept, and its drift; None where there is nothing to hold it against."""

    kept: TableProfile
    report: DriftReport | None


def look_for_drift(
    plan: Plan, ports: Ports, recorder: Recorder, tables: Tables, split: DataSplit
) -> Drift:
    """Look at the table, as it is before it is split.

    Raises
    ------
    ContractViolationError
        It has drifted, and `drift.action` is `fail`.
    """
    s = plan.settings
    model = name_embedding_model(tables.dataset, s.publish)
    classes = plan.labels or tuple(sorted(set(split.train.y)))
    with ports.executor.pool():  # one BLAS thread: the same bits on any number of CPUs
        table = observe(tables.dataset, split.table, model, s.random_state)
        kept = keep(table, classes, naming_rule(s), s.split.salt)
    report = None if s.drift.action == "ignore" else _compare(plan, ports.store, table, kept)
    if report is not None:
        _tell(plan, recorder, report)
    return Drift(kept=kept, report=report)


def _compare(
    plan: Plan, store: ArtifactStore, table: TableSnapshot, now: TableProfile
) -> DriftReport | None:
    channel = plan.settings.publish.channel
    version = None if channel is None else read_channel(store, channel)[0]
    if version is None:
        return None
    before = load_profile(store, version)
    if before is None:
        return DriftReport(champion=version, problem="it has no profile that this release reads")
    return measure_drift(table, before, now, version, plan.settings.drift)


def _tell(plan: Plan, recorder: Recorder, report: DriftReport) -> None:
    if report.problem:
        log.warning("drift_not_measured", champion=report.champion, reason=report.problem)
        return
    found = report.found
    tell = log.warning if found else log.info
    tell(
        "drift_measured",
        champion=report.champion,
        n_measures=len(report.measures),
        found=found[:_MAX_NAMED],
        not_compared=report.not_compared[:_MAX_NAMED],
    )
    if found and plan.settings.drift.action == "fail":
        recorder.reports["drift.json"] = canonical_json(report.to_json())
        more = f" and {len(found) - _MAX_NAMED} more" if len(found) > _MAX_NAMED else ""
        raise ContractViolationError(
            f"'{plan.dataset_uri}' has drifted from the table of {report.champion} in "
            f"{pluralize(len(found), 'finding')}: {'; '.join(found[:_MAX_NAMED])}{more}",
            hint="find out what changed upstream; if it is meant, run once with "
            "drift.action=warn, or raise the thresholds under drift",
            n_found=len(found),
        )
