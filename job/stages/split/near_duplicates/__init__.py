"""Families: connected groups of near-duplicate rows, which stay on one side of every split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from job.contracts.dataset import Rows
from job.contracts.ports import Executor
from job.contracts.settings.split import SplitSpec
from job.errors import ConfigurationError
from job.stages.split.near_duplicates.lsh import (
    Links,
    bands_of_bits,
    bands_of_numbers,
    cut_groups,
    link,
    share_of_bits,
    share_of_numbers,
)
from job.stages.split.near_duplicates.minhash import sign_texts
from job.stages.split.near_duplicates.simhash import share_of_bits as expected_share
from job.stages.split.near_duplicates.simhash import sign_embeddings
from job.stages.split.near_duplicates.templates import TEXT

Array = npt.NDArray[Any]
Kind = Literal["text", "embeddings", "none"]
# bytes, measured by `python -m benchmarks.near_duplicates` and rounded up
_PER_ROW: Final[dict[Kind, int]] = {"text": 1300, "embeddings": 1300, "none": 40}
_MIN_CUT_MEMBERS: Final = 10  # members of a family that is not looked at for chains


def choose_kind(rows: Rows, spec: SplitSpec) -> Kind:
    """Say what near-duplicates are found by in this table.

    Raises
    ------
    ConfigurationError
        The settings ask for texts or embeddings that the rows do not have.
    """
    has = {"text": rows.templates is not None, "embeddings": rows.embeddings is not None}
    asked = spec.near_duplicates
    if asked == "auto":
        return "text" if has["text"] else "embeddings" if has["embeddings"] else "none"
    if asked != "none" and not has[asked]:
        raise ConfigurationError(
            f"split.near_duplicates is '{asked}', and the rows have no {asked}",
            hint="text needs dataset.columns.text, embeddings must be among features.use; "
            "'auto' takes what there is",
        )
    return asked


def find_near_duplicate_groups(
    tables: Sequence[Rows], spec: SplitSpec, kind: Kind, executor: Executor
) -> list[Rows]:
    """Return the rows with the numbers of their families, which mean the same in all tables.

    Rows of equal text, or whose texts differ in their slots alone, are of one family always.
    """
    keys, _ = pd.factorize(_joined([rows.text_keys for rows in tables]), sort=kind == "none")
    groups = keys
    if kind != "none":
        find = _link_texts if kind == "text" else _link_embeddings
        nodes, n_nodes, links, least = find(tables, spec, executor)
        n_classes = len(pd.unique(_joined([rows.y for rows in tables])))
        most = max(spec.test_fraction * n_nodes / max(n_classes, 1), _MIN_CUT_MEMBERS)
        links = Links.joined(links, _link_equal(keys, nodes))
        groups = cut_groups(links, n_nodes, least, most)[nodes]
    ends = np.cumsum([len(rows) for rows in tables])[:-1]
    parts = np.split(groups.astype(np.int64), ends)
    return [
        replace(rows, near_duplicate_groups=part) for rows, part in zip(tables, parts, strict=True)
    ]


def family_bytes(n_rows: int, kind: Kind) -> int:
    """Estimate what the search for near-duplicates adds to the memory in use."""
    return n_rows * _PER_ROW[kind]


def _joined(columns: Sequence[Array]) -> Array:
    return np.concatenate(columns) if len(columns) > 1 else columns[0]


def _link_texts(
    tables: Sequence[Rows], spec: SplitSpec, executor: Executor
) -> tuple[Array, int, Links, float]:
    """Return each row's template as a number, how many there are, and the links between them."""
    templates = [rows.templates for rows in tables if rows.templates is not None]
    nodes, names = pd.factorize(_joined(templates), sort=True)
    # others stand for rows without a text, and are like nothing
    texts = np.flatnonzero([name.startswith(TEXT) for name in names])
    signatures = sign_texts(np.array([n[len(TEXT) :] for n in names[texts]], object), executor)
    least = spec.min_jaccard
    links = link(signatures, bands_of_numbers(signatures), share_of_numbers, least, executor)
    return nodes, len(names), replace(links, one=texts[links.one], other=texts[links.other]), least


def _link_embeddings(
    tables: Sequence[Rows], spec: SplitSpec, executor: Executor
) -> tuple[Array, int, Links, float]:
    signatures = np.concatenate(
        [sign_embeddings(r.embeddings, executor) for r in tables if r.embeddings is not None]
    )
    whole = signatures.view(f"V{signatures.strides[0]}").ravel()
    _, first, nodes = np.unique(whole, return_index=True, return_inverse=True)
    some, least = signatures[first], expected_share(spec.min_cosine)
    return nodes, len(first), link(some, bands_of_bits(some), share_of_bits, least, executor), least


def _link_equal(keys: Array, nodes: Array) -> Links:
    """Link what rows of equal text are, where it is not the same: a slot that lost its digits."""
    n_nodes = nodes.max(initial=0) + 1
    pairs = np.unique(keys * n_nodes + nodes)
    is_again = np.flatnonzero(np.diff(pairs // n_nodes) == 0)
    one, other = pairs[is_again] % n_nodes, pairs[is_again + 1] % n_nodes
    return Links(one=one, other=other, similarity=np.ones(len(one)))
