"""Build a profile of the table, and compare the table with the champion's profile."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from job.contracts.lineage_key import LineageKey
from job.contracts.messages import pluralize
from job.contracts.reports.drift import DriftReport
from job.contracts.version_files import DRIFT_FILE
from job.errors import ContractViolationError
from job.pipeline.intake import Tables, disclosure_rule
from job.pipeline.run_context import RunContext
from job.registry.channels import read_channel
from job.registry.read_version import read_lineage_entry
from job.stages.drift import (
    TableProfile,
    TableSnapshot,
    build_profile,
    load_profile,
    measure_drift,
    take_snapshot,
)
from job.stages.packaging.metadata import name_embedding_model
from job.stages.split.split import DataSplit

log = structlog.get_logger(__name__)
_MAX_LISTED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """The profile of the table, and the report of its drift from the champion's table.

    The report is None if there is no champion, or if drift is not measured.
    """

    profile: TableProfile
    report: DriftReport | None


def check_drift(context: RunContext, tables: Tables, split: DataSplit, key: LineageKey) -> Drift:
    """Profile the table as it was before the split, and measure its drift.

    Parameters
    ----------
    key
        Secret key with which the words in the profile are digested.

    Raises
    ------
    ContractViolationError
        The table has drifted, and `drift.action` is `fail`.
    """
    plan, ports = context.plan, context.ports
    s = plan.settings
    model = name_embedding_model(tables.dataset, s.publish)
    classes = plan.labels or tuple(sorted(set(split.train.y)))
    with ports.executor.pool():  # one BLAS thread: the same bits on any number of CPUs
        table = take_snapshot(tables.dataset, split.table, model, s.random_state)
        profile = build_profile(table, classes, disclosure_rule(s), key)
    report = None if s.drift.action == "ignore" else _compare(context, table, profile)
    if report is not None:
        _report_drift(context, report)
    return Drift(profile=profile, report=report)


def _compare(
    context: RunContext, table: TableSnapshot, profile: TableProfile
) -> DriftReport | None:
    """Measure the drift from the champion's table; None without a champion."""
    store, settings = context.ports.store, context.settings
    channel = settings.publish.channel
    version = None if channel is None else read_channel(store, channel)[0]
    if version is None:
        return None
    published = read_lineage_entry(store, version)
    key = None if published is None else context.keys.find(published.key_id)
    champion_profile = (
        None if published is None or key is None else load_profile(store, version, published, key)
    )
    if champion_profile is None:
        return DriftReport(champion=version, problem="it has no profile that this release can read")
    return measure_drift(table, champion_profile, profile, version, settings.drift)


def _report_drift(context: RunContext, report: DriftReport) -> None:
    """Log the drift; raise `ContractViolationError` if `drift.action` is `fail`."""
    if report.problem:
        log.warning("drift_not_measured", champion=report.champion, reason=report.problem)
        return
    findings = report.findings
    log_event = log.warning if findings else log.info
    log_event(
        "drift_measured",
        champion=report.champion,
        n_measures=len(report.measures),
        found=findings[:_MAX_LISTED],
        not_compared=report.not_compared[:_MAX_LISTED],
    )
    if findings and context.settings.drift.action == "fail":
        context.recorder.reports[DRIFT_FILE] = report.to_bytes()
        n_more = len(findings) - _MAX_LISTED
        more = f" and {n_more} more" if n_more > 0 else ""
        raise ContractViolationError(
            f"'{context.plan.dataset_uri}' differs from the table of {report.champion} (drift, "
            f"{pluralize(len(findings), 'finding')}): {'; '.join(findings[:_MAX_LISTED])}{more}",
            hint="find out what changed upstream; if the change is intended, run once with --set "
            "drift.action=warn, so that the new champion's table becomes the reference, or raise "
            "the thresholds in drift.*",
        )
