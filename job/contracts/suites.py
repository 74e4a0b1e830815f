"""An expectation suite as in its file, before values replace its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """Expectations of {type, kwargs, severity}, and the defaults of their parameters.

    Attributes
    ----------
    embeddings_standardized_per_batch
        The value in the suite's `meta`; None if it has none.
    """

    name: str
    parameters: Mapping[str, Any]
    expectations: tuple[Mapping[str, Any], ...]
    embeddings_standardized_per_batch: bool | None = None
