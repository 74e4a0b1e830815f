"""Let all attempts of a run publish the same latency, so that their files are equal.

A latency is measured anew by each attempt (process) of a run.  If an attempt was killed while it
stored its files, the files of the next attempt must have the same bytes to become part of the same
version.  So the first attempt stores the latency of its model, and later attempts with the same
model in the same environment use the stored latency.
"""

from __future__ import annotations

from job.contracts.identity import Digest, canonical_json
from job.contracts.reports.scores import Latency
from job.contracts.store_bounds import MAX_RECORD_BYTES
from job.contracts.strict_json import parse_json
from job.errors import IntegrityError
from job.pipeline.run_context import RunContext


def share_latency(context: RunContext, model: bytes, measured: Latency) -> Latency:
    """Return the latency that the first attempt of the run has measured for the same model.

    A latency that makes the gate reject the candidate is not stored, so that it can be measured
    again.  A dry run stores and reads nothing.

    Raises
    ------
    IntegrityError
        The stored object is not a latency.
    """
    plan, store, spec = context.plan, context.ports.store, context.settings.gate
    if plan.is_dry_run:
        return measured
    # NOTE: another machine can train the same model, but its latency is another one
    place = {"model": str(Digest.of(model)), "environment": plan.environment}
    key = f"runs/{plan.run_id}/latency/{Digest.of(canonical_json(place)).hex}.json"
    is_accepted = spec.latency_severity == "warn" or measured.p95_ms <= spec.latency_p95_ms
    if is_accepted and store.put_if_absent(key, canonical_json(measured.to_json())):
        return measured
    raw = store.get(key, max_bytes=MAX_RECORD_BYTES)
    return measured if raw is None else _parse(key, raw)


def _parse(key: str, raw: bytes) -> Latency:
    try:
        latency = Latency.model_validate(parse_json(raw))
    except ValueError:
        latency = None
    if latency is None:
        raise IntegrityError(f"{key} is damaged", hint="run again with another --run-id")
    return latency
