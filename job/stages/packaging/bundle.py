"""The bundle: all files of a version by name, except the manifest."""

from __future__ import annotations

from collections.abc import Mapping

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
    VALIDATION_FILE,
)


def make_bundle(
    models: Mapping[str, bytes],
    metadata: Metadata,
    evaluation: Evaluation,
    validation: ValidationReport,
    renderer: Renderer,
) -> dict[str, bytes]:
    """Return the files of a version by name, except the manifest."""
    published = evaluation.to_bytes()
    pages = renderer.render(metadata, Evaluation.parse(published), validation)
    return {
        **pages,
        **models,
        METADATA_FILE: metadata.to_bytes(),
        EVALUATION_FILE: published,
        VALIDATION_FILE: validation.to_bytes(),
    }


def without_model(bundle: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the reports and figures of a bundle, for a run that publishes no version."""
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
