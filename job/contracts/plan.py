"""What one run is asked to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from job.contracts.canonical_strings import canonicalize
from job.contracts.identity import Digest, ModelVersion, canonical_json
from job.contracts.settings.job_settings import JobSettings
from job.contracts.suites import Suite


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The request, and the facts of where and when it is carried out.

    Attributes
    ----------
    attempt_id
        Tells this process from others of the same run id.
    environment
        Versions, revision and CPU type, as they go into metadata.json.
    override
        Why a candidate is published that the gate rejects, or None: then it is not.
    """

    settings: JobSettings
    suite: Suite
    dataset_uri: str
    run_id: str
    started_at: datetime
    is_dry_run: bool
    environment: Mapping[str, Any]
    attempt_id: str = "0"
    override: str | None = None

    @property
    def version(self) -> str:
        """The version that this run publishes if it publishes."""
        return str(ModelVersion.of(self.run_id, self.started_at))

    @property
    def settings_digest(self) -> str:
        """Digest what can change a model: not where tables and store lie, nor what is logged."""
        content = self.settings.model_dump(
            mode="json",
            exclude={
                "store": True,
                "s3": True,
                "logs": True,
                "dataset": {"uri", "test_uri"},
                "evaluation": {"challenge_uri", "out_of_scope_uri"},
            },
        )
        return str(Digest.of(canonical_json(content)))

    @property
    def labels(self) -> tuple[str, ...] | None:
        """The stated set of labels, or None: then labels are those found."""
        stated = {**self.suite.parameters, **self.settings.expectations.parameters}.get("labels")
        return None if stated is None else tuple(canonicalize(str(label)) for label in stated)
