"""Keep aggregates of a table."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from job.contracts.digest import canonical_json
from job.contracts.ports import ArtifactStore
from job.contracts.profile import Numbers, Profile, Values
from job.stages.drift.observed import CLASSES, ObservedTable
from job.stages.drift.shares import keep_numbers, keep_values
from job.stages.slicing import NamingRule, find_named
from job.stages.versions import read_some

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptTable:
    """The profile of a table, and the words that many keys hold.

    Attributes
    ----------
    vocabulary
        Sorted digests, shape (n_words,), uint64.
    """

    profile: Profile
    vocabulary: Array

    def files(self) -> dict[str, bytes]:
        """Give what is published of it, by name."""
        files = {"profile.json": canonical_json(self.profile.model_dump(mode="json"))}
        if self.profile.words is not None:
            stream = io.BytesIO()
            np.save(stream, self.vocabulary, allow_pickle=False)
            files["vocabulary.npy"] = stream.getvalue()
        return files


def keep(table: ObservedTable, classes: tuple[str, ...], rule: NamingRule, salt: str) -> KeptTable:
    """Keep what later tables are held against; no value that the rule does not allow is named.

    Parameters
    ----------
    classes
        Those that are learnt: names of others would be data, not schema.
    """
    words, vocabulary = None, np.array([], np.uint64)
    if table.words is not None:
        words, vocabulary = table.words.keep(rule.min_groups, salt)
    profile = Profile(
        n_rows=len(table.keys),
        n_units=len(np.unique(table.units)),
        parts={
            subject: _keep_part(cells, classes if subject == CLASSES else None, table, rule)
            for subject, cells in sorted(table.cells.items())
        },
        words=words,
        embedding_model=table.embedding_model,
        embeddings=table.directions,
    )
    return KeptTable(profile=profile, vocabulary=vocabulary)


def _keep_part(
    cells: Array, names: Sequence[str] | None, table: ObservedTable, rule: NamingRule
) -> Values | Numbers:
    if cells.dtype.kind == "f":
        return keep_numbers(cells, table.units)
    names = find_named(cells, table.keys, rule) if names is None else names
    return keep_values(cells, table.units, names)


def load_kept(store: ArtifactStore, version: str) -> KeptTable | None:
    """Read what a version kept of its table; None where it kept nothing, as older ones.

    Raises
    ------
    IntegrityError
        A byte of it is not the one that was published.
    """
    files = read_some(store, version, ("profile.json", "vocabulary.npy"))
    if "profile.json" not in files:
        return None
    profile = Profile.model_validate_json(files["profile.json"])
    vocabulary = np.array([], np.uint64)
    if "vocabulary.npy" in files:
        vocabulary = np.load(io.BytesIO(files["vocabulary.npy"]), allow_pickle=False)
    return KeptTable(profile=profile, vocabulary=vocabulary)
