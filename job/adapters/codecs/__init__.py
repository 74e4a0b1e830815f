"""Conversion of models to bytes and back: the codec of each model file of a version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from job.contracts.version_files import MODEL_FILE

if TYPE_CHECKING:
    from collections.abc import Callable

    from job.contracts.ports import Codec


def _make_joblib_codec() -> Codec:
    from job.adapters.codecs.canonical_joblib import JoblibCodec

    return JoblibCodec()


# what makes the codec of each file; it imports the format's library when it is called
CODECS: Final[dict[str, Callable[[], Codec]]] = {MODEL_FILE: _make_joblib_codec}


def make_codecs() -> dict[str, Codec]:
    """Return the codec of each model file by file name."""
    return {name: make() for name, make in CODECS.items()}
