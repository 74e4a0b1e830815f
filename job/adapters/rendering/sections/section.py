"""The definition of a section of the report."""

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
        HTML for jinja2; all values in it are escaped. The page adds the heading.
    values
        Returns the values for the template; None if the numbers are absent, so that the page omits
        the section.
    """

    anchor: str
    title: str
    template: str
    values: Callable[[Metadata, Evaluation], Mapping[str, object] | None]
