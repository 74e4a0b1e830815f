"""The content of metadata.json, as the pages read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Any: the metadata has no type of its own yet, and its keys hold values of all kinds
Metadata = Mapping[str, Any]
