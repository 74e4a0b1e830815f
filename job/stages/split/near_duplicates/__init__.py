"""Find groups of near-duplicate rows, so that splits can keep each group together.

How it works
------------
1. Each row is represented by its embedding or its template: the text with masked ids, dates and the
   like (`templates`).
2. Signatures of the distinct templates (`minhash`) or embeddings (`simhash`) estimate similarity.
3. Locality-sensitive hashing (`lsh`) links pairs whose similarity is at least `split.min_jaccard`
   or `split.min_cosine`; rows of equal text are linked as well.
4. The connected components of the links are the groups; components that are too large are split.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Literal

import numpy as np
import pandas as pd

from job.contracts.arrays import Array
from job.contracts.dataset import Rows
from job.contracts.ports import Executor
from job.contracts.settings.split import SplitSpec
from job.errors import ConfigurationError
from job.stages.data.templates import TEXT_PREFIX
from job.stages.split.near_duplicates.lsh import (
    Links,
    cut_bit_bands,
    cut_groups,
    cut_number_bands,
    equal_bit_share,
    equal_number_share,
    link_similar,
)
from job.stages.split.near_duplicates.minhash import sign_texts
from job.stages.split.near_duplicates.simhash import expected_bit_share, sign_embeddings

Kind = Literal["text", "embeddings", "none"]
# bytes per row, measured by `python -m benchmarks.near_duplicates` and rounded up
_PER_ROW: Final[dict[Kind, int]] = {"text": 1300, "embeddings": 1300, "none": 40}
_MIN_CUT_MEMBERS: Final = 10  # groups with at most this many members are never split


def choose_similarity_source(rows: Rows, spec: SplitSpec) -> Kind:
    """Return whether near-duplicates are found by text, by embeddings, or not at all.

    Raises
    ------
    ConfigurationError
        The settings request texts or embeddings, but the rows lack them.
    """
    has = {"text": rows.templates is not None, "embeddings": rows.embeddings is not None}
    requested = spec.near_duplicates
    if requested == "auto":
        return "text" if has["text"] else "embeddings" if has["embeddings"] else "none"
    if requested != "none" and not has[requested]:
        raise ConfigurationError(
            f"split.near_duplicates is '{requested}', but the rows have no {requested}",
            hint="`text` needs dataset.columns.text, and `embeddings` needs embeddings in "
            "features.use; use --set split.near_duplicates=auto to use what is available",
        )
    return requested


def find_near_duplicate_groups(
    tables: Sequence[Rows], spec: SplitSpec, kind: Kind, executor: Executor
) -> list[Rows]:
    """Return each table's rows with near-duplicate groups; a group has one id in all tables.

    Rows with equal texts are always in the same group.  If `kind` is `text`, rows are also in the
    same group if their texts differ only in dates, ids, amounts and the like.
    """
    keys, _ = pd.factorize(_concatenate([rows.text_keys for rows in tables]), sort=kind == "none")
    groups = keys
    if kind != "none":
        link = _link_texts if kind == "text" else _link_embeddings
        nodes, n_nodes, links, min_similarity = link(tables, spec, executor)
        n_classes = len(pd.unique(_concatenate([rows.y for rows in tables])))
        max_members = max(spec.test_fraction * n_nodes / max(n_classes, 1), _MIN_CUT_MEMBERS)
        links = Links.concatenate(links, _link_equal_texts(keys, nodes))
        groups = cut_groups(links, n_nodes, min_similarity, max_members)[nodes]
    ends = np.cumsum([len(rows) for rows in tables])[:-1]
    parts = np.split(groups.astype(np.int64), ends)
    return [rows.with_groups(part) for rows, part in zip(tables, parts, strict=True)]


def near_duplicate_search_bytes(n_rows: int, kind: Kind) -> int:
    """Estimate how many bytes of memory the near-duplicate search adds."""
    return n_rows * _PER_ROW[kind]


def _concatenate(columns: Sequence[Array]) -> Array:
    return np.concatenate(columns) if len(columns) > 1 else columns[0]


def _link_texts(
    tables: Sequence[Rows], spec: SplitSpec, executor: Executor
) -> tuple[Array, int, Links, float]:
    """Link similar templates of all rows.

    Return the template id of each row, the number of distinct templates, the links between them,
    and the minimum similarity of a link.
    """
    templates = [rows.templates for rows in tables if rows.templates is not None]
    nodes, names = pd.factorize(_concatenate(templates), sort=True)
    # only rows with text: rows without text are not similar to any other row
    texts = np.flatnonzero([name.startswith(TEXT_PREFIX) for name in names])
    signatures = sign_texts(
        np.array([n[len(TEXT_PREFIX) :] for n in names[texts]], object), executor
    )
    links = link_similar(
        signatures, cut_number_bands(signatures), equal_number_share, spec.min_jaccard, executor
    )
    links = replace(links, one=texts[links.one], other=texts[links.other])
    return nodes, len(names), links, spec.min_jaccard


def _link_embeddings(
    tables: Sequence[Rows], spec: SplitSpec, executor: Executor
) -> tuple[Array, int, Links, float]:
    """Link similar signatures of the embeddings of all rows.

    Return the signature id of each row, the number of distinct signatures, the links between them,
    and the minimum similarity of a link.
    """
    signatures = np.concatenate(
        [sign_embeddings(r.embeddings, executor) for r in tables if r.embeddings is not None]
    )
    whole = signatures.view(f"V{signatures.strides[0]}").ravel()
    _, first, nodes = np.unique(whole, return_index=True, return_inverse=True)
    unique, min_share = signatures[first], expected_bit_share(spec.min_cosine)
    links = link_similar(unique, cut_bit_bands(unique), equal_bit_share, min_share, executor)
    return nodes, len(first), links, min_share


def _link_equal_texts(keys: Array, nodes: Array) -> Links:
    """Link the templates of rows that have equal texts but different templates.

    Templates mask parts such as e-mail addresses.  Normalization can remove the character by which
    a part is recognized, such as the @.  Then two normalized texts can be equal although only one
    template has a masked part.
    """
    n_nodes = nodes.max(initial=0) + 1
    pairs = np.unique(keys * n_nodes + nodes)
    repeats = np.flatnonzero(np.diff(pairs // n_nodes) == 0)
    one, other = pairs[repeats] % n_nodes, pairs[repeats + 1] % n_nodes
    return Links(one=one, other=other, similarity=np.ones(len(one)))
