"""Check that the manifest of a version lists the model files that metadata.json names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from job.contracts.messages import quote_list
from job.contracts.reports.manifest import FileEntry
from job.contracts.reports.metadata import PromotionTerms
from job.contracts.version_files import MANIFEST_FILE, METADATA_FILE
from job.errors import IntegrityError
from job.registry.parse_file import parse_file

_MODEL_PREFIX: Final = "model."


def check_content(version: str, listed: Mapping[str, FileEntry], metadata: bytes) -> None:
    """Raise `IntegrityError` unless the manifest agrees with the version's metadata.json.

    Parameters
    ----------
    listed
        Entries of the manifest, by name.
    metadata
        Verified bytes of metadata.json.
    """
    name = f"{version}/{METADATA_FILE}"
    named = {file.name: file for file in parse_file(PromotionTerms, name, metadata).model_files}
    if not named:  # a version of an earlier release
        return
    models = {file for file in listed if file.startswith(_MODEL_PREFIX)}
    differing = [file for file in models | named.keys() if named.get(file) != listed.get(file)]
    if differing:
        files = quote_list(sorted(differing))
        raise IntegrityError(
            f"{version} is damaged: {MANIFEST_FILE} differs from model_files of {METADATA_FILE}: "
            f"{files}",
            hint="do not use this version; find out who wrote it, and publish a new version",
        )
