"""The results that commands print on standard output, as JSON or as a table."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Literal

from pydantic import ConfigDict, Field

from job.contracts.reports.channel import ChannelMove
from job.contracts.reports.evaluation import Change
from job.contracts.reports.gate import GateDecision
from job.contracts.reports.headline import ChampionDifference, HeadlineScore, WeakestClass
from job.contracts.reports.part import (
    Count,
    Part,
    is_none,
)
from job.contracts.reports.published_file import DigestText, VersionName
from job.contracts.reports.scores import Scores

if TYPE_CHECKING:
    from job.contracts.dataset import Dataset

Outcome = Literal["published", "already_published", "dry_run", "rejected", "held_back"]


class RunDataset(Part):
    """The table of a run."""

    uri: str = Field(description="Where the table was read.")
    n_rows: Count = Field(description="Rows of the table.")
    file_digest: DigestText = Field(description="SHA-256 of the file's bytes.")
    content_digest: DigestText = Field(description="SHA-256 of the columns that were read.")

    @classmethod
    def of(cls, dataset: Dataset) -> RunDataset:
        """Return the URI, size and digests of a table."""
        provenance = dataset.provenance
        return cls(
            uri=provenance.uri,
            n_rows=dataset.n_rows,
            file_digest=provenance.file_digest,
            content_digest=provenance.content_digest,
        )


class RunResult(Part):
    """The result of `pcc-job run`."""

    model_config = ConfigDict(title="result of `pcc-job run`")

    run_id: str = Field(description="Name of the run.")
    outcome: Outcome = Field(description="How the run ended.")
    version: VersionName | None = Field(description="null: no version was published.")
    store_uri: str = Field(description="URI of the store, without credentials.")
    scores: Scores = Field(
        description="`scores` of evaluation.json; empty if the run was held back."
    )
    dataset: RunDataset = Field(description="The table that the run read.")
    stages: dict[str, float] = Field(description="Seconds of each stage.")
    duration_seconds: float = Field(description="Seconds of the complete run.")
    reason: str | None = Field(
        None,
        exclude_if=is_none,
        description="Why the run was held back, or would be without `--dry-run`. Absent otherwise.",
    )
    override: str | None = Field(
        None,
        exclude_if=is_none,
        description="Reason to publish a rejected candidate. Absent without an override.",
    )
    channel: str | None = Field(
        None, description="Channel that points to the version; null: the run moved no channel."
    )
    score: HeadlineScore | None = Field(None, description="null: no candidate was evaluated.")
    champion: ChampionDifference | None = Field(
        None, description="null: there was no champion, or no candidate was evaluated."
    )
    weakest_class: WeakestClass | None = Field(
        None, description="null: no candidate was evaluated by this attempt."
    )
    unmet_criteria: tuple[str, ...] = Field(
        (), description="Reasons of the binding criteria of the gate that are not met."
    )
    report_uri: str | None = Field(
        None, description="URI of the version's report; null: no version was published."
    )
    next_command: str | None = Field(
        None, description="Command that shows more; null: the run was held back."
    )


class GateResult(Part):
    """The result of `pcc-job gate`."""

    model_config = ConfigDict(title="result of `pcc-job gate`")

    candidate: VersionName = Field(description="Version that was evaluated.")
    champion: VersionName = Field(description="Version that the candidate was compared with.")
    n_rows: Count = Field(description="Rows of the table, or of the official test.")
    n_trained_on: Count = Field(description="Rows that the candidate was trained on.")
    n_unknown_class: Count = Field(
        description="Rows whose class is not one of the candidate's classes."
    )
    n_judged: Count = Field(description="Rows that the candidate was evaluated on.")
    scores: Scores = Field(description="Scores of the candidate on the evaluated rows.")
    challenge_scores: Scores | None = Field(
        description="Scores of the candidate on the challenge set; null without such a set."
    )
    gate: GateDecision = Field(description="The decision of the gate.")


class VersionDiff(Part):
    """The result of `pcc-job models diff`: differences of the metadata, by dotted key."""

    before: str
    after: str
    changed: dict[str, Change]


class VerifyResult(Part):
    """The result of `pcc-job models verify`."""

    version: str
    n_files: Count
    is_intact: bool


class LoadCheckResult(Part):
    """The result of `pcc-job models load-check`."""

    version: str
    file: Literal["model.safetensors", "model.joblib"] = Field(
        description="The model file that was read."
    )
    is_loadable: bool


class FetchResult(Part):
    """The result of `pcc-job models fetch`."""

    version: str
    path: str


class MoveResult(Part):
    """The result of `pcc-job models promote` and `rollback`."""

    channel: str
    origin: str | None = Field(alias="from")
    to: str
    is_dry_run: bool = Field(
        False, exclude_if=operator.not_, description="Absent if the channel was moved."
    )


class AnchorMoveResult(Part):
    """The result of `pcc-job models promote --anchor`."""

    channel: str
    anchor_from: str | None
    anchor_to: str
    is_dry_run: bool = Field(
        False, exclude_if=operator.not_, description="Absent if the anchor was moved."
    )


class ChannelHistory(Part):
    """The result of `pcc-job models history`."""

    channel: str
    moves: tuple[ChannelMove, ...]


class AnchorHistory(Part):
    """The result of `pcc-job models history --anchor`."""

    channel: str
    anchor_moves: tuple[ChannelMove, ...]


class PruneResult(Part):
    """The result of `pcc-job models prune`."""

    removed_versions: tuple[str, ...]
    removed_unfinished: tuple[str, ...]
    removed_uploads: tuple[str, ...]
    kept_versions: tuple[str, ...]
    is_dry_run: bool
    reason: str | None = Field(
        None, exclude_if=is_none, description="Reason of the operator. Absent without one."
    )


class ReportResult(Part):
    """The result of `pcc-job report`."""

    version: str = Field(description="Name of the version, of the run or of the local folder.")
    path: str
    is_verified: bool
    is_drawn_anew: bool
    is_opened: bool


class InitResult(Part):
    """What `pcc-job init` found in a table, and what to run next."""

    path: str = Field(description="The settings file that was written.")
    found: str = Field(description="A line with the roles of the columns.")
    doubts: tuple[str, ...] = Field((), description="What to check, because the names do not say.")
    store_uri: str = Field(description="The store that the settings name.")
    next_command: str
