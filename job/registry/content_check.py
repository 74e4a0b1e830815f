"""Check that the manifest of a version lists a model, and the model that metadata.json names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from job.contracts.messages import quote_list
from job.contracts.reports.manifest import FileEntry
from job.contracts.reports.metadata import PromotionTerms
from job.contracts.version_files import MANIFEST_FILE, METADATA_FILE, MODEL_FILE
from job.errors import IntegrityError
from job.registry.parse_file import parse_file

_MODEL_PREFIX: Final = "model."


def check_content(version: str, listed: Mapping[str, FileEntry], metadata: bytes | None) -> None:
    """Raise `IntegrityError` unless the manifest agrees with the version's metadata.json.

    Parameters
    ----------
    listed
        Entries of the manifest, by name.
    metadata
        Verified bytes of metadata.json; None if it was not read.  Then only its name and that of
        the model are checked.
    """
    absent = {MODEL_FILE, METADATA_FILE} - listed.keys()
    if absent:
        raise _damage(version, f"does not list {quote_list(sorted(absent))}")
    if metadata is None:
        return
    name = f"{version}/{METADATA_FILE}"
    named = {file.name: file for file in parse_file(PromotionTerms, name, metadata).model_files}
    if not named:  # a version of an earlier release
        return
    models = {file for file in listed if file.startswith(_MODEL_PREFIX)}
    differing = [file for file in models | named.keys() if named.get(file) != listed.get(file)]
    if differing:
        files = quote_list(sorted(differing))
        raise _damage(version, f"differs from model_files of metadata.json: {files}")


def _damage(version: str, problem: str) -> IntegrityError:
    return IntegrityError(
        f"{version} is damaged: {MANIFEST_FILE} {problem}",
        hint="do not use this version; find out who wrote it, and publish a new version",
    )
