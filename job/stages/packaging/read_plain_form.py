"""Read the plain form of a published version; nothing is unpickled.

This module loads neither pandas nor scikit-learn, so that a text is predicted quickly.
"""

from __future__ import annotations

from dataclasses import dataclass

from job.contracts.ports import ArtifactStore
from job.contracts.remedies import AVOID_VERSION
from job.contracts.reports.metadata import Metadata, ModelInput
from job.contracts.version_files import METADATA_FILE, PLAIN_MODEL_FILE
from job.errors import ConfigurationError, IntegrityError
from job.model_form.form import EmbeddingInput, TableInput, TextInput
from job.model_form.model import PlainModel
from job.registry.read_version import parse_metadata, read_verified


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedModel:
    """The model of a published version in its plain form, and the version's metadata."""

    version: str
    model: PlainModel
    metadata: Metadata


def read_published_model(store: ArtifactStore, version: str) -> PublishedModel:
    """Verify a version and read its plain form.

    Raises
    ------
    ConfigurationError
        The version has no plain form.
    IntegrityError
        The version is damaged, or its plain form differs from its metadata.
    """
    files = read_verified(store, version)
    if PLAIN_MODEL_FILE not in files:
        raise ConfigurationError(
            f"{version} is intact, but was published by an earlier release, without "
            f"{PLAIN_MODEL_FILE}",
            hint=f"`pcc-job models load-check {version} --pickle` checks its model.joblib in a "
            "process without credentials",
        )
    metadata = parse_metadata(version, files[METADATA_FILE])
    model = read_model(version, files[PLAIN_MODEL_FILE], metadata)
    return PublishedModel(version=version, model=model, metadata=metadata)


def read_model(version: str, data: bytes, metadata: Metadata) -> PlainModel:
    """Return the model of a version from the bytes of its plain form.

    Raises
    ------
    IntegrityError
        The file is not a model of a known format, or has other classes or another input than
        metadata.json.
    """
    name = f"{version}/{PLAIN_MODEL_FILE}"
    model = PlainModel.read(data, name)
    form = model.form
    if form.classes != metadata.classes or form.input != describe_input(metadata.input):
        raise IntegrityError(
            f"{name} has other classes or another input than metadata.json",
            hint=AVOID_VERSION,
        )
    return model


def describe_input(model_input: ModelInput) -> TextInput | EmbeddingInput | TableInput:
    """Return the description of the input that the plain form of a version must have."""
    if model_input.kind == "text":
        return TextInput()
    if model_input.kind == "embeddings":
        return EmbeddingInput(width=model_input.shape[1] or 0)
    return TableInput(names=model_input.names)
