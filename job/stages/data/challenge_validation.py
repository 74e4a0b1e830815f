"""Validate the challenge set and the out-of-scope set, before the search starts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from job.contracts.arrays import Array
from job.contracts.dataset import EMBEDDING_DEFECTS, Dataset
from job.contracts.messages import pluralize, quote_list
from job.contracts.settings.dataset import ColumnsSpec
from job.contracts.settings.search import FeatureBlocks
from job.errors import ConfigurationError, ContractViolationError


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """Names of the challenge set or the out-of-scope set in messages.

    `title` is the name in sentences.  The names of expectations start with `prefix`.  `setting` is
    the name of the setting that gives the path of the set.
    """

    title: str
    prefix: str
    setting: str


_CHALLENGE: Final = _Kind(
    title="challenge set", prefix="challenge", setting="evaluation.challenge_uri"
)
_OUT_OF_SCOPE: Final = _Kind(
    title="out-of-scope set", prefix="out_of_scope", setting="evaluation.out_of_scope_uri"
)


def validate_challenge(
    challenge: Dataset,
    table: Dataset,
    labels: Iterable[str],
    *,
    uses: tuple[FeatureBlocks, ...],
    columns: ColumnsSpec,
    embedding_model: str,
) -> None:
    """Check that each request of the challenge set can be predicted and has a known label.

    A request needs the columns and values that the candidates use, and a label that occurs in the
    table.  The set is too small for an expectation suite, so nothing else is checked.

    Parameters
    ----------
    labels
        Labels of the table.
    uses
        Feature blocks of each candidate.
    embedding_model
        Name of the model that computed the embeddings of the table.

    Raises
    ------
    ConfigurationError
        A column that a candidate needs is missing.
    ContractViolationError
        A label is missing or unknown, a text or an embedding is missing or invalid, or the
        embeddings differ from the table's in width or model.  The message quotes no cell.
    """
    _require_columns(_CHALLENGE, challenge, uses, columns)
    broken = [
        *_find_wrong_labels(challenge, set(labels)),
        *_find_broken(_CHALLENGE, challenge, table, uses, embedding_model=embedding_model),
    ]
    _require_sound(_CHALLENGE, challenge, broken)


def validate_out_of_scope(
    requests: Dataset,
    table: Dataset,
    *,
    uses: tuple[FeatureBlocks, ...],
    columns: ColumnsSpec,
    embedding_model: str,
) -> None:
    """Check that each request of the out-of-scope set can be predicted; ignore labels.

    A request needs the columns and values that the candidates use.

    Parameters
    ----------
    uses
        Feature blocks of each candidate.
    embedding_model
        Name of the model that computed the embeddings of the table.

    Raises
    ------
    ConfigurationError
        A column that a candidate needs is missing.
    ContractViolationError
        A text or an embedding is missing or invalid, or the embeddings differ from the table's in
        width or model.  The message quotes no cell.
    """
    _require_columns(_OUT_OF_SCOPE, requests, uses, columns)
    broken = _find_broken(_OUT_OF_SCOPE, requests, table, uses, embedding_model=embedding_model)
    _require_sound(_OUT_OF_SCOPE, requests, list(broken))


def _require_sound(kind: _Kind, requests: Dataset, broken: list[str]) -> None:
    """Raise `ContractViolationError` if `broken` lists any unmet expectations."""
    if broken:
        raise ContractViolationError(
            f"{kind.title} '{requests.provenance.uri}' violates "
            f"{pluralize(len(broken), 'expectation')}: {'; '.join(broken)}",
            hint=f"correct the table; {_hint(kind)}",
        )


def _hint(kind: _Kind) -> str:
    return f"docs/challenge-set.md describes how to make the {kind.title}"


def _require_columns(
    kind: _Kind, requests: Dataset, uses: tuple[FeatureBlocks, ...], columns: ColumnsSpec
) -> None:
    """Raise `ConfigurationError` if the set lacks a column that a candidate needs."""
    present = {column.name for column in requests.columns}
    if requests.embeddings is not None and columns.embeddings is not None:
        present.add(columns.embeddings)
    for feature_blocks in uses:
        missing = sorted(
            {name for block in feature_blocks for name in _column_names(block, columns)} - present
        )
        if missing:
            raise ConfigurationError(
                f"{kind.title} '{requests.provenance.uri}' lacks {quote_list(missing)}, which "
                f"candidates that take {' and '.join(feature_blocks)} need",
                hint=f"add {quote_list(missing)} to the table at {kind.setting} (dataset.aliases "
                "renames columns), or remove the block from features.use and search.inputs. Is the "
                "header missing? `head -n 2 FILE` shows the first lines",
            )


def _column_names(block: str, columns: ColumnsSpec) -> tuple[str, ...]:
    """Return the names of a feature block's columns."""
    names = getattr(columns, block)
    return (names,) if isinstance(names, str) else names or ()


def _find_wrong_labels(challenge: Dataset, labels: set[str]) -> Iterator[str]:
    """Yield a message that counts missing labels, and one that counts unknown labels."""
    values = challenge.strings("target")
    if values is not None:
        missing = np.array([value is None for value in values])
        yield from _count_rows("challenge_target_missing", missing)
        is_in_table = np.array([value is None or value in labels for value in values])
        yield from _count_rows("challenge_label_in_table", ~is_in_table)


def _find_broken(
    kind: _Kind,
    requests: Dataset,
    table: Dataset,
    uses: tuple[FeatureBlocks, ...],
    *,
    embedding_model: str,
) -> Iterator[str]:
    """Yield a message for each expectation about texts and embeddings that is not met."""
    blocks = {block for feature_blocks in uses for block in feature_blocks}
    values = requests.strings("text")
    if values is not None and "text" in blocks:
        missing = np.array([value is None for value in values])
        yield from _count_rows(f"{kind.prefix}_text_missing", missing)
    embeddings, table_embeddings = requests.embeddings, table.embeddings
    if "embeddings" not in blocks or embeddings is None or table_embeddings is None:
        return
    for code, name in EMBEDDING_DEFECTS.items():
        yield from _count_rows(f"{kind.prefix}_{name}", embeddings.defects == code)
    widths = embeddings.matrix.shape[1], table_embeddings.matrix.shape[1]
    if widths[0] != widths[1]:
        yield (
            f"'{kind.prefix}_embedding_width' is {widths[0]}; expected {widths[1]}, as in the table"
        )
    if requests.provenance.metadata_value("embedding_model") not in (None, embedding_model):
        yield f"'{kind.prefix}_embedding_model' differs from the embedding model of the table"


def _count_rows(name: str, is_broken: Array) -> Iterator[str]:
    n = int(is_broken.sum())
    if n:
        verb = "violates" if n == 1 else "violate"
        yield f"{n} of {pluralize(len(is_broken), 'row')} {verb} '{name}'"
