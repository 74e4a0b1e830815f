"""Lay out lists of versions and runs, and the moves of a channel, as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from job.cli.layout import lay_out_columns, terminal_width
from job.contracts.messages import pluralize, shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from job.contracts.reports.channel import ChannelMove
    from job.contracts.reports.lists import ListedRun, ListedVersion, ModelList, RunList

_MAX_REASON: Final = 100
_WIDE: Final = 120


def lay_out_models(result: ModelList) -> list[str]:
    """Return a table of versions, newest first."""
    if not result.versions:
        return [f"no versions in {result.store_uri}"]
    rows = [
        (v.version, short_time(v.trained_at), v.n_rows, _describe_score(v), _describe_use(v))
        for v in result.versions
    ]
    lines = lay_out_columns(("version", "date", "rows", "score", "channels"), rows)
    return lines if result.is_complete else [*lines, _describe_rest(len(rows), "version")]


def lay_out_runs(result: RunList) -> list[str]:
    """Return a table of runs, newest first; long reasons are cut."""
    if not result.runs:
        return [f"no runs in {result.store_uri}"]
    rows = [(run.run_id, short_time(run.ended_at), _describe_end(run)) for run in result.runs]
    lines = lay_out_columns(("run", "ended", "outcome"), rows)
    return lines if result.is_complete else [*lines, _describe_rest(len(rows), "run")]


def lay_out_moves(title: str, moves: Sequence[ChannelMove]) -> list[str]:
    """Return a title and one row for each move, the latest last; fewer columns if it is narrow."""
    if terminal_width() >= _WIDE:
        rows = [(short_time(m.at), m.origin, m.to, m.by, m.why) for m in moves]
        return [title, *lay_out_columns(("at", "from", "to", "by", "why"), rows)]
    told = [(short_time(m.at), m.to, _describe_move(m)) for m in moves]
    return [title, *lay_out_columns(("at", "to", "why, by whom, from"), told)]


def _describe_move(move: ChannelMove) -> str:
    origin = f"from {move.origin}" if move.origin else ""
    by = f"by {move.by}" if move.by else ""
    return ", ".join(part for part in (move.why or "", by, origin) if part)


def short_time(time: str | None) -> str | None:
    """Return date and time to the minute, in UTC; a text of another form is not changed."""
    if time is None:
        return None
    from datetime import UTC, datetime

    try:
        return f"{datetime.fromisoformat(time).astimezone(UTC):%Y-%m-%d %H:%M}"
    except (ValueError, OverflowError):
        return time


def _describe_end(run: ListedRun) -> str:
    if run.outcome is None:
        return "the record cannot be read"
    words = run.outcome.replace("_", " ")
    if run.version is not None:
        return f"{words} {run.version}"
    return f"{words}: {shorten(run.reason, _MAX_REASON)}" if run.reason else words


def _describe_score(version: ListedVersion) -> str:
    if version.metric is None or version.score is None:
        return "-"
    return f"{version.metric} {version.score:.4f}"


def _describe_use(version: ListedVersion) -> str:
    anchors = (f"{name} (anchor)" for name in version.anchor_of)
    return ", ".join((*version.channels, *anchors))


def _describe_rest(n_shown: int, noun: str) -> str:
    return f"the newest {pluralize(n_shown, noun)}; --limit N or --all shows more"
