"""The definition of a section of the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.metadata import Metadata


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section of the page; each module of this package defines one as `SECTION`.

    Attributes
    ----------
    template
        HTML template for jinja2; all values in it are escaped.  The page adds the heading.
    values
        Function that returns the values for the template.  If it returns None, because the run does
        not have these numbers, the page omits the section.
    """

    anchor: str
    title: str
    template: str
    values: Callable[[Metadata, Evaluation], Mapping[str, object] | None]
