"""Link what is alike without comparing all with all.

Signatures are cut into bands (locality-sensitive hashing).  Those that agree in a band are
candidates; each is compared, by the whole signature, with a few that stand next to it in the order
of the band.  Of the links only a spanning forest of the strongest is kept: at every threshold it
connects the same rows as all links would.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from job.contracts.ports import Executor
from job.contracts.row_blocks import cut

Array = npt.NDArray[Any]
Bands = Iterator[tuple[Array, Array]]  # what a band is sorted by, and what must be equal in it
_REACH: Final = 2  # how many that follow each one is compared with
_BLOCK: Final = 16_384
_N_BANDS: Final = 32
_N_AT_A_TIME: Final = 4  # bands whose links are held at once
_N_STEPS: Final = 8
_MIN_DISTANCE_SHARE: Final = 0.2  # of the distance that links may have at first


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Pairs that are alike: positions, and how much they are, each of shape (n_links,)."""

    one: Array
    other: Array
    similarity: Array

    @classmethod
    def none(cls) -> Links:
        """Return no link."""
        nobody = np.empty(0, np.int64)
        return cls(one=nobody, other=nobody, similarity=np.empty(0))

    @classmethod
    def joined(cls, *parts: Links) -> Links:
        """Return the links of all parts."""
        names = ("one", "other", "similarity")
        return cls(**{name: np.concatenate([getattr(p, name) for p in parts]) for name in names})

    def take(self, mask: Array) -> Links:
        """Return the links under this mask."""
        return Links(one=self.one[mask], other=self.other[mask], similarity=self.similarity[mask])

    def components(self, n: int) -> Array:
        """Number the groups that are connected, shape (n,), in the order of their first member."""
        pairs = (np.ones(len(self.one), bool), (self.one, self.other))
        groups: Array = connected_components(sparse.coo_array(pairs, shape=(n, n)), directed=False)[
            1
        ]
        return groups


def bands_of_numbers(signatures: Array) -> Iterator[tuple[Array, Array]]:
    """Cut signatures of 128 numbers into bands of four, as one integer each."""
    words = signatures.view(np.uint64)
    for n in range(_N_BANDS):
        word = words[:, n].copy()
        yield word, word


def bands_of_bits(signatures: Array) -> Iterator[tuple[Array, Array]]:
    """Cut signatures of 512 bits into bands of 16; the 48 bits that follow sort what is equal."""
    for n in range(_N_BANDS):
        turned = np.roll(signatures, -n, axis=1)[:, :4].astype(np.uint64)
        weights = np.uint64(1) << np.array([48, 32, 16, 0], np.uint64)
        yield turned @ weights, signatures[:, n]


def share_of_numbers(one: Array, other: Array) -> Array:
    """Return the share of numbers that are equal, row by row."""
    share: Array = (one == other).sum(axis=1, dtype=np.uint16) / one.shape[1]
    return share


def share_of_bits(one: Array, other: Array) -> Array:
    """Return the share of bits that are equal, row by row."""
    differ = np.bitwise_count(one.view(np.uint64) ^ other.view(np.uint64)).sum(axis=1)
    share: Array = 1 - differ / (16 * one.shape[1])
    return share


def link(
    signatures: Array,
    bands: Bands,
    compare: Callable[[Array, Array], Array],
    least: float,
    executor: Executor,
) -> Links:
    """Link rows whose signatures are alike by `least` or more."""

    def look(band: tuple[Array, Array]) -> Links:
        one, other = _neighbors(*band)
        found = [Links.none()]
        for block in cut(slice(0, len(one)), _BLOCK):
            pair = one[block], other[block]
            similarity = compare(*(np.take(signatures, side, axis=0) for side in pair))
            every = Links(one=pair[0], other=pair[1], similarity=similarity)
            found.append(every.take(similarity >= least))
        return Links.joined(*found)

    forest = Links.none()
    with executor.pool() as parallel_map:
        while some := list(itertools.islice(bands, _N_AT_A_TIME)):
            forest = _thin(Links.joined(forest, *parallel_map(look, some)), len(signatures))
    return forest


def _neighbors(sorted_by: Array, is_equal_by: Array) -> tuple[Array, Array]:
    order = np.argsort(sorted_by, kind="stable")
    values = is_equal_by[order]
    pairs = []
    for step in range(1, _REACH + 1):
        is_equal = np.flatnonzero(values[step:] == values[:-step])
        pairs.append((order[is_equal], order[is_equal + step]))
    one, other = (np.concatenate(side) for side in zip(*pairs, strict=True))
    return np.minimum(one, other), np.maximum(one, other)


def _thin(links: Links, n: int) -> Links:
    """Keep the strongest links that connect what all of them connect."""
    _, first = np.unique(links.one * n + links.other, return_index=True)
    weights = 2 - links.similarity[first]  # none is 0, which would be no link
    graph = sparse.coo_array((weights, (links.one[first], links.other[first])), shape=(n, n))
    forest = minimum_spanning_tree(graph.tocsr()).tocoo()
    return Links(
        one=forest.row.astype(np.int64),
        other=forest.col.astype(np.int64),
        similarity=2 - forest.data,
    )


def cut_groups(links: Links, n: int, least: float, most_members: float) -> Array:
    """Number the groups that are connected, and cut what has grown too large, shape (n,).

    Chains of texts each of which is like the next join what is not alike.  Groups of more than
    `most_members` are connected anew by stronger links alone, step by step, until four fifths of
    the distance that was allowed are gone; what is alike by then stays together at any size.
    """
    groups = links.components(n)
    for share in np.linspace(1, _MIN_DISTANCE_SHARE, _N_STEPS + 1)[1:]:
        is_large = np.bincount(groups, minlength=n) > most_members
        if not is_large.any():
            break
        is_strong = links.similarity >= 1 - (1 - least) * share - 1e-9
        links = links.take(is_strong | ~is_large[groups[links.one]])
        groups = links.components(n)
    return groups
