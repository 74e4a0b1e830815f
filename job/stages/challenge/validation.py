"""Refuse a challenge set that the model cannot be judged on, before anything is searched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np

from job.contracts.dataset import EMBEDDING_DEFECTS, Dataset
from job.contracts.dataset_specs import ColumnsSpec
from job.contracts.lists import counted, shortened
from job.contracts.search_specs import Use
from job.errors import ConfigurationError, ContractViolationError

Array = np.ndarray[Any, Any]
_HINT: Final = "docs/challenge-set.md says how a challenge set is made"


def validate_challenge(
    challenge: Dataset,
    table: Dataset,
    labels: Iterable[str],
    *,
    uses: tuple[Use, ...],
    columns: ColumnsSpec,
    embedding_model: str,
) -> None:
    """Check that every candidate can predict each request, and knows its class.

    The set is too small for a suite: nothing else is expected of it.

    Parameters
    ----------
    labels
        Those of the table.
    uses
        The inputs of the candidates.
    embedding_model
        What the table's embeddings come from.

    Raises
    ------
    ConfigurationError
        A column is absent that an input needs.
    ContractViolationError
        A label is missing or unknown, a text or an embedding is missing or unsound, or the
        embeddings are of another width or model than the table's. No cell is in the message.
    """
    _require_columns(challenge, uses, columns)
    blocks: set[str] = {block for use in uses for block in use}
    broken = list(_find_broken(challenge, table, set(labels), blocks))
    said = challenge.provenance.says("embedding_model")
    if "embeddings" in blocks and said not in (None, embedding_model):
        broken.append("challenge_embedding_model: it is another one than the table's")
    if broken:
        raise ContractViolationError(
            f"challenge set '{challenge.provenance.uri}' breaks "
            f"{counted(len(broken), 'expectation')}: {'; '.join(broken)}",
            hint=f"mend the set; {_HINT}",
        )


def _require_columns(challenge: Dataset, uses: tuple[Use, ...], columns: ColumnsSpec) -> None:
    """Raise `ConfigurationError` where the set lacks a column that an input needs."""
    present = {column.name for column in challenge.columns}
    if challenge.embeddings is not None and columns.embeddings is not None:
        present.add(columns.embeddings)
    for use in uses:
        lacking = sorted({name for block in use for name in _names(block, columns)} - present)
        if lacking:
            raise ConfigurationError(
                f"challenge set '{challenge.provenance.uri}' lacks {shortened(lacking)}, which "
                f"candidates on {' and '.join(use)} take",
                hint=f"add {shortened(lacking)} to evaluation.challenge_uri (dataset.aliases "
                "renames columns), or leave the block out of features.use and search.inputs",
                columns=lacking,
            )


def _names(block: str, columns: ColumnsSpec) -> tuple[str, ...]:
    """Return the names of the columns that a block is made of."""
    names = getattr(columns, block)
    return (names,) if isinstance(names, str) else names or ()


def _find_broken(
    challenge: Dataset, table: Dataset, labels: set[str], blocks: set[str]
) -> Iterator[str]:
    """Describe each expectation that is broken, in counts."""
    for role in ("target", "text"):
        values = challenge.strings(role)
        if values is not None and (role == "target" or role in blocks):
            missing = np.array([value is None for value in values])
            yield from _count(f"challenge_{role}_missing", missing)
            if role == "target":
                is_known = np.array([value is None or value in labels for value in values])
                yield from _count("challenge_label_in_table", ~is_known)
    mine, theirs = challenge.embeddings, table.embeddings
    if "embeddings" not in blocks or mine is None or theirs is None:
        return
    for code, name in EMBEDDING_DEFECTS.items():
        yield from _count(f"challenge_{name}", mine.defects == code)
    widths = mine.matrix.shape[1], theirs.matrix.shape[1]
    if widths[0] != widths[1]:
        yield (
            f"challenge_embedding_width: {counted(widths[0], 'number')} where the table's have "
            f"{widths[1]}"
        )


def _count(name: str, is_broken: Array) -> Iterator[str]:
    n = int(is_broken.sum())
    if n:
        verb = "breaks" if n == 1 else "break"
        yield f"{n} of {counted(len(is_broken), 'row')} {verb} {name}"
