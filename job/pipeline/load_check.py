"""Check that the plain form of a published model can be read, and that it predicts."""

from __future__ import annotations

from job.contracts.ports import ArtifactStore
from job.contracts.version_files import METADATA_FILE, PLAIN_MODEL_FILE
from job.errors import ConfigurationError
from job.registry.read_version import parse_metadata, read_verified
from job.stages.packaging.plain_form import read_model
from job.stages.packaging.plain_form.hard_rows import make_hard_rows


def check_plain_form(store: ArtifactStore, version: str) -> None:
    """Verify a version, read its plain form, and predict some rows; nothing is unpickled.

    Raises
    ------
    ConfigurationError
        The version has no plain form.
    IntegrityError
        The version is damaged, or its plain form differs from its metadata or cannot predict.
    """
    files = read_verified(store, version)
    if PLAIN_MODEL_FILE not in files:
        raise ConfigurationError(
            f"{version} is intact, but has no {PLAIN_MODEL_FILE}: an earlier release published it",
            hint=f"`pcc-job models load-check {version} --pickle` checks its model.joblib in a "
            "process without credentials",
        )
    metadata = parse_metadata(version, files[METADATA_FILE])
    model = read_model(version, files[PLAIN_MODEL_FILE], metadata)
    model.predict_proba(make_hard_rows(model.form))
