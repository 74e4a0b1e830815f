"""Convert models to bytes: one codec for each model file of a version except the plain form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from job.contracts.version_files import FIGURES_FOLDER, FURTHER_FILES, MODEL_FILE

if TYPE_CHECKING:
    from collections.abc import Callable

    from job.contracts.ports import Codec


def _make_joblib_codec() -> Codec:
    from job.adapters.codecs.canonical_joblib import JoblibCodec

    return JoblibCodec()


# Factory of each file's codec; the format's library is imported when the factory is called.
CODECS: Final[dict[str, Callable[[], Codec]]] = {MODEL_FILE: _make_joblib_codec}


def make_codecs() -> dict[str, Codec]:
    """Return the codec of each model file by file name.

    Raises
    ------
    ValueError
        A codec's file has the same name as another file of a version, so it would replace that
        file.
    """
    for name in CODECS:
        if name in FURTHER_FILES or name.startswith(FIGURES_FOLDER):
            raise ValueError(
                f"a codec must not use {name!r}, the name of another file of a version"
            )
    return {name: make() for name, make in CODECS.items()}
