"""The record that every attempt of a run writes to the store."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field, JsonValue

from job.contracts.reports.origin import DatasetDescription, Environment
from job.contracts.reports.part import Count
from job.contracts.reports.published_file import DigestText, PublishedFile, VersionName
from job.contracts.reports.scores import Scores

RecordedOutcome = Literal[
    "published",
    "already_published",
    "dry_run",
    "held_back",
    "rejected",
    "failed",
    "crashed",
    "ended",
]


class RunRecord(PublishedFile):
    """One attempt of a run, `runs/RUN_ID/ATTEMPT.json`.

    Keys whose value was unknown when the attempt ended are absent.
    """

    model_config = ConfigDict(title="run record")

    run_id: str = Field(description="Name of the run.")
    attempt: Count = Field(description="Number of the attempt, from 1.")
    outcome: RecordedOutcome = Field(
        description="How the attempt ended; `held_back`: too few groups changed, `failed`: with an "
        "expected error, `crashed`: with an unexpected one, `ended`: by a signal."
    )
    exit_code: int | None = Field(None, description="Exit code of the process.")
    version: VersionName | None = Field(None, description="null: no version was published.")
    reason: str | None = Field(
        None,
        description="Why the run was held back, rejected or failed; in a dry run, why it would be "
        "held back.",
    )
    error: str | None = Field(None, description="Class of the error.")
    signal: str | None = Field(None, description="Signal that ended the process.")
    failed_stage: str | None = Field(description="Stage that did not complete; null: none.")
    started_at: str | None = Field(None, description="Start of the attempt, ISO 8601.")
    duration_seconds: float = Field(description="Seconds of the attempt.")
    stages: dict[str, float] = Field(description="Seconds of each completed stage.")
    settings: dict[str, JsonValue] | None = Field(None, description="All settings of the run.")
    settings_digest: DigestText | None = Field(
        None, description="SHA-256 of the settings that can change a model."
    )
    environment: Environment | None = Field(None, description="Installation and machine.")
    dataset: DatasetDescription | None = Field(None, description="The table.")
    test_dataset: DatasetDescription | None = Field(None, description="The official test table.")
    challenge_dataset: DatasetDescription | None = Field(None, description="The challenge set.")
    out_of_scope_dataset: DatasetDescription | None = Field(
        None, description="The out-of-scope set."
    )
    data_digest: DigestText | None = Field(None, description="`content_digest` of the table.")
    test_data_digest: DigestText | None = Field(
        None, description="`content_digest` of the official test table."
    )
    challenge_data_digest: DigestText | None = Field(
        None, description="`content_digest` of the challenge set."
    )
    out_of_scope_data_digest: DigestText | None = Field(
        None, description="`content_digest` of the out-of-scope set."
    )
    estimated_memory_bytes: Count | None = Field(
        None, description="Estimated memory of the training."
    )
    scores: Scores | None = Field(None, description="`scores` of evaluation.json.")
    model_digest: DigestText | None = Field(None, description="SHA-256 of the model's bytes.")
    override: str | None = Field(None, description="Reason to publish a rejected candidate.")

    def to_json(self) -> dict[str, Any]:
        """Return the record as a JSON object, with only the keys that were given."""
        return self.model_dump(mode="json", exclude_unset=True)
