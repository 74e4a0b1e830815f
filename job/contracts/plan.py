"""The plan of one run: its request, time and environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from job.contracts.canonical_strings import canonicalize
from job.contracts.identity import Digest, canonical_json
from job.contracts.settings.job_settings import JobSettings
from job.contracts.suites import Suite


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The request of a run, and where and when it is executed.

    Attributes
    ----------
    attempt_id
        Id of this process; several processes (attempts) may have the same run id.
    environment
        Versions, revision and CPU type for metadata.json.
    followed
        Keys of the settings that follow from the columns of the table, because nothing states them.
    override
        Reason to publish a candidate that the gate rejects; None if a rejected candidate must not
        be published.
    """

    settings: JobSettings
    suite: Suite
    dataset_uri: str
    run_id: str
    started_at: datetime
    is_dry_run: bool
    environment: Mapping[str, object]
    attempt_id: str = "0"
    override: str | None = None
    followed: frozenset[str] = frozenset()

    @property
    def settings_digest(self) -> str:
        """Digest of the settings that can change a model.

        The settings of locations, store, keys and log cannot change a model, so they are left out.
        """
        content = self.settings.model_dump(
            mode="json",
            exclude={
                "store": True,
                "s3": True,
                "logs": True,
                "lineage": True,
                "dataset": {"uri", "test_uri"},
                "evaluation": {"challenge_uri", "out_of_scope_uri"},
            },
        )
        return str(Digest.of(canonical_json(content)))

    @property
    def labels(self) -> tuple[str, ...] | None:
        """The configured labels; None to use the labels of the table."""
        stated = {**self.suite.parameters, **self.settings.expectations.parameters}.get("labels")
        return None if stated is None else tuple(canonicalize(str(label)) for label in stated)
