"""Build the profile of a table, which is published with a model, and read published profiles."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np

from job.contracts.arrays import Array
from job.contracts.identity import canonical_json
from job.contracts.ports import ArtifactStore
from job.contracts.reports.profile import Numbers, Profile, Values
from job.contracts.version_files import PROFILE_FILE, VOCABULARY_FILE
from job.registry.read_version import read_files
from job.stages.data.slices import DisclosureRule, disclosable_values
from job.stages.drift.bins import find_edges
from job.stages.drift.histograms import profile_numbers, profile_values
from job.stages.drift.snapshot import CLASSES, TableSnapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class TableProfile:
    """The drift profile of a table: aggregates, and digests of words that many groups use.

    Attributes
    ----------
    vocabulary
        Sorted salted digests of the words, shape (n_words,), uint64.
    """

    profile: Profile
    vocabulary: Array

    def files(self) -> dict[str, bytes]:
        """Return the files of the profile by name, as they are stored with a version."""
        files = {PROFILE_FILE: canonical_json(self.profile.model_dump(mode="json"))}
        if self.profile.words is not None:
            stream = io.BytesIO()
            np.save(stream, self.vocabulary, allow_pickle=False)
            files[VOCABULARY_FILE] = stream.getvalue()
        return files


def build_profile(
    table: TableSnapshot, classes: tuple[str, ...], rule: DisclosureRule, salt: str
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
        words, vocabulary = table.words.build_vocabulary(rule.min_groups, salt)
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
    return TableProfile(profile=profile, vocabulary=vocabulary)


def load_profile(store: ArtifactStore, version: str) -> TableProfile | None:
    """Read the profile of a version; None if it is missing, or if its format is unknown.

    Raises
    ------
    IntegrityError
        A file of the profile was changed since publication.
    """
    files = read_files(store, version, (PROFILE_FILE, VOCABULARY_FILE))
    vocabulary = np.array([], np.uint64)
    try:  # an older release wrote no profile, and a later release may write another format
        profile = Profile.model_validate_json(files[PROFILE_FILE])
        if profile.words is not None:
            vocabulary = np.load(io.BytesIO(files[VOCABULARY_FILE]), allow_pickle=False)
    except (KeyError, ValueError):
        return None
    return TableProfile(profile=profile, vocabulary=vocabulary)
