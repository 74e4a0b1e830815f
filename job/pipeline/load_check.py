"""Check that the plain form of a published model can be read, and that it predicts."""

from __future__ import annotations

from job.contracts.ports import ArtifactStore
from job.contracts.version_files import METADATA_FILE, PLAIN_MODEL_FILE
from job.errors import IntegrityError
from job.model_form.model import PlainModel
from job.registry.read_version import parse_metadata, read_verified
from job.stages.packaging.plain_form.hard_rows import make_hard_rows


def check_plain_form(store: ArtifactStore, version: str) -> None:
    """Verify a version, read its plain form, and predict some rows; nothing is unpickled.

    Raises
    ------
    IntegrityError
        The version is damaged, has no plain form, or has one that differs from its metadata.
    """
    files = read_verified(store, version)
    if PLAIN_MODEL_FILE not in files:
        raise IntegrityError(
            f"{version} has no {PLAIN_MODEL_FILE}: an earlier release published it",
            hint=f"`pcc-job models load-check {version} --pickle` checks its model.joblib in a "
            "process without credentials",
        )
    model = PlainModel.read(files[PLAIN_MODEL_FILE], f"{version}/{PLAIN_MODEL_FILE}")
    metadata = parse_metadata(version, files[METADATA_FILE])
    if (model.form.classes, model.form.input.kind) != (metadata.classes, metadata.input.kind):
        raise IntegrityError(
            f"{version}/{PLAIN_MODEL_FILE} has other classes or another input than metadata.json",
            hint="do not use this version; find out who wrote it",
        )
    model.predict_proba(make_hard_rows(model.form))
