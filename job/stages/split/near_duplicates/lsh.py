"""Locality-sensitive hashing: link similar signatures without comparing all pairs.

How it works
------------
1. A signature is an array of numbers or bits that represents a text or an embedding.  Signatures
   are cut into bands.  Two signatures with the same band are a candidate pair.
2. To limit the number of pairs, signatures are sorted by band, and each signature is paired only
   with the few that follow it.  The similarity of a pair is the share of equal numbers or bits in
   the complete signatures.
3. Pairs with at least the minimum similarity are links.  Only a maximum spanning forest of the
   links is kept.  The forest connects the same rows as all links do, even if the minimum is raised
   later.
4. Connected components are the groups.  Chains of similar texts can connect texts that are not
   similar.  So components that are too large are split by raising the minimum similarity in steps.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from job.contracts.arrays import Array
from job.contracts.ports import Executor
from job.contracts.row_blocks import split_rows

Bands = Iterator[tuple[Array, Array]]  # sort key, and the values that must be equal
_N_NEIGHBORS: Final = 2  # number of next signatures that each signature is compared with
_BLOCK: Final = 16_384
_N_BANDS: Final = 32
_N_PARALLEL_BANDS: Final = 4  # bands whose links are in memory at once
_N_CUT_STEPS: Final = 8
_MIN_DISTANCE_SHARE: Final = 0.2  # of the initial maximum distance, in the last step


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Pairs of similar rows: two positions and the similarity of each pair, shape (n_links,)."""

    one: Array
    other: Array
    similarity: Array

    @classmethod
    def empty(cls) -> Links:
        """Return `Links` without any pair."""
        no_positions = np.empty(0, np.int64)
        return cls(one=no_positions, other=no_positions, similarity=np.empty(0))

    @classmethod
    def concatenate(cls, *parts: Links) -> Links:
        """Return one `Links` with the pairs of all parts."""
        names = ("one", "other", "similarity")
        return cls(**{name: np.concatenate([getattr(p, name) for p in parts]) for name in names})

    def take(self, mask: Array) -> Links:
        """Return the links where `mask` is true."""
        return Links(one=self.one[mask], other=self.other[mask], similarity=self.similarity[mask])

    def components(self, n: int) -> Array:
        """Return each row's component, shape (n,); components are numbered by their first row."""
        edges = (np.ones(len(self.one), bool), (self.one, self.other))
        graph = sparse.coo_array(edges, shape=(n, n))
        groups: Array = connected_components(graph, directed=False)[1]
        return groups


def cut_number_bands(signatures: Array) -> Iterator[tuple[Array, Array]]:
    """Cut signatures of 128 numbers into 32 bands; pack each band's numbers into one integer.

    Yields two arrays for each band, the sort key and the band; both are the packed numbers."""
    words = signatures.view(np.uint64)
    for n in range(_N_BANDS):
        word = words[:, n].copy()
        yield word, word


def cut_bit_bands(signatures: Array) -> Iterator[tuple[Array, Array]]:
    """Cut signatures of 512 bits into 32 bands of 16 bits.

    Yields two arrays for each band: keys to sort the rows by, and the band itself.  A key consists
    of the band and the next 48 bits, so that similar rows of a band become neighbors.
    """
    for n in range(_N_BANDS):
        rotated = np.roll(signatures, -n, axis=1)[:, :4].astype(np.uint64)
        weights = np.uint64(1) << np.array([48, 32, 16, 0], np.uint64)
        yield rotated @ weights, signatures[:, n]


def equal_number_share(one: Array, other: Array) -> Array:
    """Return, for each pair of signatures, the share of equal numbers."""
    share: Array = (one == other).sum(axis=1, dtype=np.uint16) / one.shape[1]
    return share


def equal_bit_share(one: Array, other: Array) -> Array:
    """Return, for each pair of signatures, the share of equal bits."""
    n_different = np.bitwise_count(one.view(np.uint64) ^ other.view(np.uint64)).sum(axis=1)
    share: Array = 1 - n_different / (16 * one.shape[1])
    return share


def link_similar(
    signatures: Array,
    bands: Bands,
    compare: Callable[[Array, Array], Array],
    min_similarity: float,
    executor: Executor,
) -> Links:
    """Link rows whose signatures have at least the minimum similarity.

    Parameters
    ----------
    signatures
        Signature of each row, shape (n_rows, n_numbers).
    bands
        Yields two arrays for each band: the sort key and the band of each signature.
    compare
        Function of two arrays of signatures of equal length.  It returns the similarity of the two
        signatures at each position.
    """

    def link_band(band: tuple[Array, Array]) -> Links:
        one, other = _pair_neighbors(*band)
        parts = [Links.empty()]
        for block in split_rows(slice(0, len(one)), _BLOCK):
            pair = one[block], other[block]
            similarity = compare(*(np.take(signatures, side, axis=0) for side in pair))
            links = Links(one=pair[0], other=pair[1], similarity=similarity)
            parts.append(links.take(similarity >= min_similarity))
        return Links.concatenate(*parts)

    forest = Links.empty()
    with executor.pool() as parallel_map:
        while batch := list(itertools.islice(bands, _N_PARALLEL_BANDS)):
            links = Links.concatenate(forest, *parallel_map(link_band, batch))
            forest = _keep_spanning_forest(links, len(signatures))
    return forest


def _pair_neighbors(sort_key: Array, band: Array) -> tuple[Array, Array]:
    """Pair signatures that are close in sort order and have equal bands; return two arrays."""
    order = np.argsort(sort_key, kind="stable")
    values = band[order]
    pairs = []
    for step in range(1, _N_NEIGHBORS + 1):
        is_equal = np.flatnonzero(values[step:] == values[:-step])
        pairs.append((order[is_equal], order[is_equal + step]))
    one, other = (np.concatenate(side) for side in zip(*pairs, strict=True))
    return np.minimum(one, other), np.maximum(one, other)


def _keep_spanning_forest(links: Links, n: int) -> Links:
    """Keep a maximum spanning forest: the most similar links that still connect the same rows."""
    _, first = np.unique(links.one * n + links.other, return_index=True)
    weights = 2 - links.similarity[first]  # never 0, which a sparse graph would drop
    graph = sparse.coo_array((weights, (links.one[first], links.other[first])), shape=(n, n))
    forest = minimum_spanning_tree(graph.tocsr()).tocoo()
    return Links(
        one=forest.row.astype(np.int64),
        other=forest.col.astype(np.int64),
        similarity=2 - forest.data,
    )


def cut_groups(links: Links, n: int, min_similarity: float, max_members: float) -> Array:
    """Return the group id of each row, shape (n,); groups that are too large are split.

    In groups of more than `max_members` rows, the least similar links are removed.  For this, the
    maximum distance (1 - similarity) of links is lowered in eight steps to a fifth of the initial
    distance.  Groups that are still too large after the last step are kept.
    """
    groups = links.components(n)
    for share in np.linspace(1, _MIN_DISTANCE_SHARE, _N_CUT_STEPS + 1)[1:]:
        is_large = np.bincount(groups, minlength=n) > max_members
        if not is_large.any():
            break
        is_strong = links.similarity >= 1 - (1 - min_similarity) * share - 1e-9
        links = links.take(is_strong | ~is_large[groups[links.one]])
        groups = links.components(n)
    return groups
