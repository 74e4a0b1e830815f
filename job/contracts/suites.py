"""An expectation suite as it is in its file, before parameters are replaced by values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """Expectations, each a {type, kwargs, severity}, and the default values of parameters.

    Attributes
    ----------
    embeddings_standardized_per_batch
        The value of this key in the suite's `meta`; None if the key is absent.
    """

    name: str
    parameters: Mapping[str, Any]
    expectations: tuple[Mapping[str, Any], ...]
    embeddings_standardized_per_batch: bool | None = None
