"""Find the rows of a table that a published version was trained on.

How it works
------------
1. The lineage of a version has digests of the leakage keys, texts and templates of the training
   rows.  A row counts as a training row if its leakage key, text or template has one of these
   digests.
2. Earlier releases stored these digests in a file of the version.  They made the digests with a
   public salt instead of a secret key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import numpy as np

from job.contracts.arrays import Array, Mask
from job.contracts.dataset import Rows
from job.contracts.remedies import AVOID_VERSION, RESTORE_LINEAGE
from job.contracts.version_files import EARLIER_TRAINING_KEYS_FILE
from job.errors import IntegrityError
from job.registry.champion import PublishedVersion
from job.stages.data.leakage_keys import salted_digests
from job.stages.lineage.lineage_file import Lineage, digest_rows
from job.stages.lineage.stored_array import read_vector

_EARLIER_KEY: Final = np.dtype("<u8")
_Digests = Callable[[Iterable[str]], Array]


def find_lineage_problem(version: PublishedVersion) -> str:
    """Return why the training rows of a version are unknown; an empty string if they are known."""
    published = version.metadata.lineage
    if published is None:
        is_known = EARLIER_TRAINING_KEYS_FILE in version.files
        return "" if is_known else "nothing says which rows it was trained on"
    if version.key is None:
        return f"lineage key {published.key_id} is missing"
    return "" if version.lineage is not None else "its lineage file was removed"


def was_trained_on(version: PublishedVersion, rows: Rows, table: Rows | None) -> Mask:
    """Return which rows are training rows of a version, or near-duplicates of its training rows.

    Call `find_lineage_problem` first, because the training rows of the version must be known.

    Parameters
    ----------
    table
        The run's table with its groups of near-duplicates.  With it, all rows of a group are marked
        if the version was trained on one of them, and texts that differ only in dates, ids, amounts
        and the like count as equal.  Without it, only rows with an equal leakage key or text are
        marked.

    Returns
    -------
    mask
        Shape (n_rows,).
    """
    known, digest = _read_training_rows(version)
    mask = _has_digest(rows, known, digest, with_templates=table is not None)
    if table is None or table.near_duplicate_groups is None or rows.near_duplicate_groups is None:
        return mask
    is_trained = _has_digest(table, known, digest, with_templates=True)
    return mask | np.isin(rows.near_duplicate_groups, table.near_duplicate_groups[is_trained])


def parse_lineage(version: str, data: bytes) -> Lineage:
    """Return the content of a version's lineage file.

    Raises
    ------
    IntegrityError
        The bytes are not a lineage file that this release can read.
    """
    try:
        return Lineage.from_bytes(data)
    except ValueError:
        raise IntegrityError(
            f"the lineage file of {version} cannot be read",
            hint=RESTORE_LINEAGE,
        ) from None


def _read_training_rows(version: PublishedVersion) -> tuple[Array, _Digests]:
    """Return the digests of the training rows, and the function that digests other rows."""
    key = version.key
    if key is not None and version.lineage is not None:
        lineage = parse_lineage(version.version, version.lineage)
        return lineage.trained_on, lambda strings: digest_rows(strings, key)
    salt = version.metadata.training_keys_salt or ""
    data = version.files[EARLIER_TRAINING_KEYS_FILE]
    try:
        known = read_vector(data, _EARLIER_KEY)
    except ValueError:
        raise IntegrityError(
            f"{version.version}/{EARLIER_TRAINING_KEYS_FILE} cannot be read",
            hint=AVOID_VERSION,
        ) from None
    return known, lambda strings: salted_digests("trained", strings, salt)


def _has_digest(rows: Rows, known: Array, digest: _Digests, *, with_templates: bool) -> Mask:
    """Return a mask of the rows whose leakage key, text or template has one of these digests."""
    mask: Mask = np.isin(digest(rows.leakage_keys), known)
    others = [rows.text_keys] if (rows.leakage_keys != rows.text_keys).any() else []
    if with_templates and rows.templates is not None:
        others.append(rows.templates)
    for keys in others:
        mask |= np.isin(digest(keys), known)
    return mask
