"""The bundle: all files of a version by name, except the manifest."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np

from job.contracts.arrays import Array
from job.contracts.dataset import Rows
from job.contracts.ports import Renderer
from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.metadata import Metadata
from job.contracts.reports.validation import ValidationReport
from job.contracts.version_files import (
    CARD_FILE,
    EVALUATION_FILE,
    FIGURES_FOLDER,
    METADATA_FILE,
    REPORT_FILE,
    TRAINING_KEYS_FILE,
    VALIDATION_FILE,
)
from job.stages.data.leakage_keys import salted_digests


def training_keys(rows: Rows, salt: str) -> Array:
    """Return sorted salted digests that identify training rows, shape (n_keys,), uint64.

    The digests are computed from each row's leakage key (equal for rows that no split may
    separate), its text key (its normalized text), and its template (the text with masked slots).
    """
    templates = () if rows.templates is None else rows.templates
    return np.unique(
        salted_digests("trained", {*rows.leakage_keys, *rows.text_keys, *templates}, salt)
    )


def make_bundle(
    models: Mapping[str, bytes],
    metadata: Metadata,
    evaluation: Evaluation,
    validation: ValidationReport,
    train: Rows,
    renderer: Renderer,
) -> dict[str, bytes]:
    """Return the files of a version by name, except the manifest."""
    published = evaluation.to_bytes()
    stream = io.BytesIO()
    np.save(stream, training_keys(train, metadata.training_keys_salt), allow_pickle=False)
    return {
        **renderer.render(metadata, Evaluation.parse(published)),
        **models,
        METADATA_FILE: metadata.to_bytes(),
        EVALUATION_FILE: published,
        VALIDATION_FILE: validation.to_bytes(),
        TRAINING_KEYS_FILE: stream.getvalue(),
    }


def without_model(bundle: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the reports and figures of a bundle, which may be kept if no version is published."""
    reports = (
        METADATA_FILE,
        EVALUATION_FILE,
        VALIDATION_FILE,
        CARD_FILE,
        REPORT_FILE,
    )
    return {name: bundle[name] for name in reports} | {
        name: data for name, data in bundle.items() if name.startswith(FIGURES_FOLDER)
    }
