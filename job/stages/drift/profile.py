"""Keep aggregates of a table, and read them again."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np

from job.contracts.identity import canonical_json
from job.contracts.ports import ArtifactStore
from job.contracts.reports.profile import Numbers, Profile, Values
from job.registry.versions import read_some
from job.stages.data.slices import DisclosureRule, disclosable_values
from job.stages.drift.bins import find_edges
from job.stages.drift.histograms import keep_numbers, keep_values
from job.stages.drift.snapshot import CLASSES, TableSnapshot

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableProfile:
    """The profile of a table, and the words that many units hold.

    Attributes
    ----------
    vocabulary
        Sorted digests, shape (n_words,), uint64.
    """

    profile: Profile
    vocabulary: Array

    def files(self) -> dict[str, bytes]:
        """Return what is published of it, by name."""
        files = {"profile.json": canonical_json(self.profile.model_dump(mode="json"))}
        if self.profile.words is not None:
            stream = io.BytesIO()
            np.save(stream, self.vocabulary, allow_pickle=False)
            files["vocabulary.npy"] = stream.getvalue()
        return files


def keep(
    table: TableSnapshot, classes: tuple[str, ...], rule: DisclosureRule, salt: str
) -> TableProfile:
    """Keep what later tables are held against; no value that the rule does not allow is named.

    Parameters
    ----------
    classes
        Those that are learnt: names of others would be data, not schema.
    """
    words, vocabulary = None, np.array([], np.uint64)
    if table.words is not None:
        words, vocabulary = table.words.keep(rule.min_groups, salt)
    parts: dict[str, Values | Numbers] = {}
    for subject, cells in sorted(table.cells.items()):
        if cells.dtype.kind == "f":
            edges = find_edges(cells, table.clusters.codes, table.key_codes, rule)
            parts[subject] = keep_numbers(cells, table.clusters, *edges)
        else:
            names = (
                classes if subject == CLASSES else disclosable_values(cells, table.key_codes, rule)
            )
            parts[subject] = keep_values(cells, table.clusters, names)
    profile = Profile(
        n_rows=len(table.key_codes),
        n_units=len(table.clusters.sizes),
        parts=parts,
        words=words,
        embedding_model=table.embedding_model,
        embeddings=None if table.means is None else table.means.keep(),
    )
    return TableProfile(profile=profile, vocabulary=vocabulary)


def load_profile(store: ArtifactStore, version: str) -> TableProfile | None:
    """Read what a version kept of its table; None where it kept nothing that can be read here.

    Raises
    ------
    IntegrityError
        A byte of it is not the one that was published.
    """
    files = read_some(store, version, ("profile.json", "vocabulary.npy"))
    vocabulary = np.array([], np.uint64)
    try:  # an older release writes none, a later one may write another
        profile = Profile.model_validate_json(files["profile.json"])
        if profile.words is not None:
            vocabulary = np.load(io.BytesIO(files["vocabulary.npy"]), allow_pickle=False)
    except (KeyError, ValueError):
        return None
    return TableProfile(profile=profile, vocabulary=vocabulary)
