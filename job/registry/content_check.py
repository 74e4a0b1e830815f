"""Check that the manifest and metadata.json of a version name the same version, run and model."""

from __future__ import annotations

from typing import Final

from job.contracts.messages import quote_list
from job.contracts.remedies import AVOID_VERSION
from job.contracts.reports.manifest import Manifest
from job.contracts.reports.metadata import PromotionTerms
from job.contracts.version_files import MANIFEST_FILE, METADATA_FILE
from job.errors import IntegrityError
from job.registry.parse_file import parse_file

_MODEL_PREFIX: Final = "model."


def check_content(manifest: Manifest, metadata: bytes) -> None:
    """Raise `IntegrityError` unless the manifest agrees with the version's metadata.json.

    The metadata of a copy that a rollback has made are those of the original.

    Parameters
    ----------
    metadata
        Verified bytes of metadata.json.
    """
    version, original = manifest.version, manifest.copied_from
    terms = parse_file(PromotionTerms, f"{version}/{METADATA_FILE}", metadata)
    if not terms.model_files:  # a version of an earlier release
        return
    if terms.model_version != (original or version):
        raise _difference(version, "model_version")
    if original is None and terms.run_id != manifest.run_id:
        raise _difference(version, "run_id")
    named, listed = {file.name: file for file in terms.model_files}, manifest.entries
    models = {file for file in listed if file.startswith(_MODEL_PREFIX)}
    differing = [file for file in models | named.keys() if named.get(file) != listed.get(file)]
    if differing:
        raise _difference(version, "model_files", f": {quote_list(sorted(differing))}")


def _difference(version: str, key: str, details: str = "") -> IntegrityError:
    return IntegrityError(
        f"{version} is damaged: {MANIFEST_FILE} differs from {key} of {METADATA_FILE}{details}",
        hint=AVOID_VERSION,
    )
