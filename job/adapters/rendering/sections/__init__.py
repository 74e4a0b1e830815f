"""The report's sections, in the order of the page."""

from __future__ import annotations

from typing import Final

from job.adapters.rendering.sections import (
    candidates,
    challenge,
    changes,
    classes,
    comparisons,
    confusion,
    curves,
    data,
    drift,
    expectations,
    gate,
    label_noise,
    limitations,
    near_duplicates,
    out_of_scope,
    provenance,
    reliability,
    scores,
    slices,
    stress,
    wording,
)
from job.adapters.rendering.sections.section import Section
from job.contracts.reports.validation import ValidationReport

SECTIONS: Final[tuple[Section, ...]] = (
    gate.SECTION,
    comparisons.SECTION,
    changes.SECTION,
    challenge.SECTION,
    scores.SECTION,
    wording.SECTION,
    stress.SECTION,
    classes.SECTION,
    slices.SECTION,
    confusion.SECTION,
    curves.SECTION,
    reliability.SECTION,
    out_of_scope.SECTION,
    drift.SECTION,
    data.SECTION,
    near_duplicates.SECTION,
    label_noise.SECTION,
    candidates.SECTION,
    limitations.SECTION,
    provenance.SECTION,
)


def list_sections(validation: ValidationReport | None) -> tuple[Section, ...]:
    """Return the sections of a page, with the expectations of the table after its data."""
    place = SECTIONS.index(data.SECTION) + 1
    return (*SECTIONS[:place], expectations.make_section(validation), *SECTIONS[place:])
