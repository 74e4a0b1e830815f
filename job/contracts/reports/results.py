"""The results of `pcc-job run` and `pcc-job gate`, as they are written to stdout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from job.contracts.dataset import Dataset
from job.contracts.reports.gate import GateDecision

Outcome = Literal["published", "already_published", "rejected", "dry_run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetSummary:
    """The table of a run by its URI, size and digests."""

    uri: str
    n_rows: int
    file_digest: str
    content_digest: str

    @classmethod
    def of(cls, dataset: Dataset) -> DatasetSummary:
        """Return the summary of a table."""
        provenance = dataset.provenance
        return cls(
            uri=provenance.uri,
            n_rows=dataset.n_rows,
            file_digest=provenance.file_digest,
            content_digest=provenance.content_digest,
        )

    def to_json(self) -> dict[str, object]:
        """Return the part `dataset` of the result."""
        return {
            "uri": self.uri,
            "n_rows": self.n_rows,
            "file_digest": self.file_digest,
            "content_digest": self.content_digest,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """The result of a run.

    Attributes
    ----------
    version
        The published version; None if none was published.
    stages
        Seconds of each stage.
    override
        Reason for which a rejected candidate was published; None if there is none.
    """

    run_id: str
    outcome: Outcome
    version: str | None
    store_uri: str
    scores: Mapping[str, float]
    dataset: DatasetSummary
    stages: Mapping[str, float]
    duration_seconds: float
    override: str | None = None

    def to_json(self) -> dict[str, object]:
        """Return the result as it is written to stdout."""
        return {
            "run_id": self.run_id,
            "outcome": self.outcome,
            "version": self.version,
            "store_uri": self.store_uri,
            "scores": dict(self.scores),
            "dataset": self.dataset.to_json(),
            "stages": dict(self.stages),
            "duration_seconds": self.duration_seconds,
            **({} if self.override is None else {"override": self.override}),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class GateResult:
    """The gate's decision on a published version.

    Attributes
    ----------
    n_rows
        Rows of the table, or of the official test table if there is one.
    n_trained_on
        Those that the candidate was trained on; it is judged on the others.
    n_unknown_class
        Judged rows of a class that the candidate does not know.
    challenge_scores
        Scores on the challenge set; None if the candidate was not judged on one.
    """

    candidate: str
    champion: str
    n_rows: int
    n_trained_on: int
    n_unknown_class: int
    n_judged: int
    scores: Mapping[str, float]
    challenge_scores: Mapping[str, float] | None
    decision: GateDecision

    def to_json(self) -> dict[str, object]:
        """Return the result as it is written to stdout."""
        challenge_scores = self.challenge_scores
        return {
            "candidate": self.candidate,
            "champion": self.champion,
            "n_rows": self.n_rows,
            "n_trained_on": self.n_trained_on,
            "n_unknown_class": self.n_unknown_class,
            "n_judged": self.n_judged,
            "scores": dict(self.scores),
            "challenge_scores": None if challenge_scores is None else dict(challenge_scores),
            "gate": self.decision.to_json(),
        }
