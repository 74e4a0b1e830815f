"""Build and read a table's profile, which is stored with the lineage of a version."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from job.contracts.arrays import Array
from job.contracts.identity import canonical_json
from job.contracts.lineage_key import LineageKey
from job.contracts.ports import ArtifactStore
from job.contracts.reports.metadata import PublishedLineage
from job.contracts.reports.profile import Numbers, Profile, Values
from job.contracts.strict_json import parse_json
from job.registry.lineage_files import PROFILE_SUFFIX, read_lineage_file
from job.stages.data.slices import DisclosureRule, disclosable_values
from job.stages.drift.bins import find_edges
from job.stages.drift.histograms import profile_numbers, profile_values
from job.stages.drift.snapshot import CLASSES, TableSnapshot
from job.stages.lineage.training_rows import parse_lineage


@dataclass(frozen=True, slots=True, kw_only=True)
class TableProfile:
    """The drift profile of a table: aggregates, and digests of words that enough persons use.

    Attributes
    ----------
    vocabulary
        Sorted digests of the words, shape (n_words,), uint64; made with `key`.
    """

    profile: Profile
    vocabulary: Array
    key: LineageKey

    def to_bytes(self) -> bytes:
        """Return the content of the profile's file, without the vocabulary."""
        return canonical_json(self.profile.model_dump(mode="json"))


def build_profile(
    table: TableSnapshot, classes: tuple[str, ...], rule: DisclosureRule, key: LineageKey
) -> TableProfile:
    """Build the profile that later tables are compared with.

    The profile names a value only if the disclosure rule allows it.

    Parameters
    ----------
    classes
        Classes that the model is trained on.  Other classes are not named, because their names may
        be personal data.
    """
    words, vocabulary = None, np.array([], np.uint64)
    if table.words is not None:
        words, vocabulary = table.words.build_vocabulary(rule.min_groups, key)
    parts: dict[str, Values | Numbers] = {}
    for subject, cells in sorted(table.cells.items()):
        if cells.dtype.kind == "f":
            edges = find_edges(cells, table.clusters.codes, table.person_codes, rule)
            parts[subject] = profile_numbers(cells, table.clusters, *edges)
        else:
            names = (
                classes
                if subject == CLASSES
                else disclosable_values(cells, table.person_codes, rule)
            )
            parts[subject] = profile_values(cells, table.clusters, names)
    profile = Profile(
        n_rows=len(table.person_codes),
        n_groups=len(table.clusters.sizes),
        parts=parts,
        words=words,
        embedding_model=table.embedding_model,
        embeddings=None if table.group_means is None else table.group_means.fit_axes(),
    )
    return TableProfile(profile=profile, vocabulary=vocabulary, key=key)


def load_profile(
    store: ArtifactStore, version: str, published: PublishedLineage, key: LineageKey
) -> TableProfile | None:
    """Read the profile of a version; None if it is missing, or if its format is unknown.

    Parameters
    ----------
    published
        `lineage` in the metadata.json of the version.
    key
        The key that `published` names.

    Raises
    ------
    IntegrityError
        A file of the profile was changed since publication.
    """
    raw = read_lineage_file(store, version, published.profile_digest, PROFILE_SUFFIX)
    lineage = read_lineage_file(store, version, published.digest)
    if raw is None or lineage is None:
        return None
    try:  # a later release may write another format
        profile = Profile.model_validate(parse_json(raw))
    except ValueError:
        return None
    words = parse_lineage(version, lineage).words
    return TableProfile(profile=profile, vocabulary=words, key=key)
