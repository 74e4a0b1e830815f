"""What a section of the report is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.metadata import Metadata


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the page; a new one is a module that ends with one of these.

    Attributes
    ----------
    template
        HTML for jinja2, everything written into it is escaped; the heading is made by the page.
    values
        Returns the values that the template needs; None where the numbers are absent, and then
        nothing of the section is on the page.
    """

    anchor: str
    title: str
    template: str
    values: Callable[[Metadata, Evaluation], Mapping[str, object] | None]
