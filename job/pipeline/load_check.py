"""Check that the plain form of a published model can be read, and that it predicts."""

from __future__ import annotations

from job.contracts.ports import ArtifactStore
from job.stages.packaging.plain_form.hard_rows import make_hard_rows
from job.stages.packaging.read_plain_form import read_published_model


def check_plain_form(store: ArtifactStore, version: str) -> None:
    """Verify a version, read its plain form, and predict some rows; nothing is unpickled.

    Raises
    ------
    ConfigurationError
        The version has no plain form.
    IntegrityError
        The version is damaged, or its plain form differs from its metadata or cannot predict.
    """
    model = read_published_model(store, version).model
    model.predict_proba(make_hard_rows(model.form))
