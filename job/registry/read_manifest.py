"""Read the manifest of a version, and refuse one that this job would not write.

Everything else about a version is read as its manifest says, so the manifest bounds the number, the
names and the sizes of the files.
"""

from __future__ import annotations

from pydantic import ValidationError

from job.contracts.messages import describe_problem, quote_list
from job.contracts.ports import ArtifactStore
from job.contracts.remedies import AVOID_VERSION, RESTORE_VERSION
from job.contracts.reports.manifest import Manifest
from job.contracts.store_bounds import (
    MAX_JSON_BYTES,
    MAX_MANIFEST_BYTES,
    MAX_NAME_BYTES,
    MAX_VERSION_BYTES,
    MAX_VERSION_FILES,
)
from job.contracts.store_keys import is_key
from job.contracts.version_files import MANIFEST_FILE, METADATA_FILE, MODEL_FILE
from job.errors import IntegrityError
from job.registry.publish import is_named_for


def read_manifest(store: ArtifactStore, version: str) -> tuple[Manifest, bytes]:
    """Return the manifest of a version, and its bytes, which are those that `publish` writes.

    Raises
    ------
    IntegrityError
        The manifest is missing, damaged or of another version, or lists files that no run of this
        job publishes.
    """
    raw = _get(store, version)
    try:
        manifest = _parse_exactly(raw)
    except ValueError as error:
        raise IntegrityError(
            f"{version}/{MANIFEST_FILE}, the manifest, {error}",
            hint=RESTORE_VERSION,
        ) from None
    if manifest.version != version or not is_named_for(
        version, manifest.run_id, manifest.copied_from
    ):
        raise IntegrityError(
            f"{version}/{MANIFEST_FILE} belongs to another version",
            hint=RESTORE_VERSION,
        )
    if problem := _find_problem(manifest):
        raise IntegrityError(
            f"{version}/{MANIFEST_FILE} {problem}",
            hint=AVOID_VERSION,
        )
    return manifest, raw


def copied_from(store: ArtifactStore, version: str) -> str | None:
    """Return the version that `version` is a copy of; None if not a copy or damaged."""
    try:
        return Manifest.parse(_get(store, version)).copied_from
    except ValueError:
        return None


def _find_problem(manifest: Manifest) -> str:
    """Return what is wrong with a published version's manifest; an empty string if nothing is."""
    files = manifest.files
    is_large = sum(entry.n_bytes for entry in files) > MAX_VERSION_BYTES
    if is_large or len(files) > MAX_VERSION_FILES:
        return f"lists more than {MAX_VERSION_FILES} files or {MAX_VERSION_BYTES} bytes"
    names = {entry.name for entry in files}
    if missing := sorted({MODEL_FILE, METADATA_FILE} - names):
        return f"does not list {quote_list(missing)}"
    # NOTE: names become paths when a version is fetched
    if not all(is_key(name) and len(name.encode()) <= MAX_NAME_BYTES for name in names):
        return "names a file outside the version's folder, or has a name that is too long"
    if names & {name[:n] for name in names for n, letter in enumerate(name) if letter == "/"}:
        return "names a file that is also a folder"
    if any(entry.n_bytes > MAX_JSON_BYTES for entry in files if entry.name.endswith(".json")):
        return f"lists a JSON file of more than {MAX_JSON_BYTES} bytes"
    return ""


def _get(store: ArtifactStore, version: str) -> bytes:
    return store.get(f"{version}/{MANIFEST_FILE}", max_bytes=MAX_MANIFEST_BYTES) or b""


def _parse_exactly(raw: bytes) -> Manifest:
    """Return the manifest in the bytes that `publish` writes; raise `ValueError` for others."""
    if not raw:
        raise ValueError("is missing or empty")
    try:
        manifest = Manifest.parse(raw)
    except ValidationError as error:
        [problem, *_] = error.errors(include_url=False, include_input=False)
        if problem["type"] == "missing":
            place = ".".join(str(part) for part in problem["loc"])
            raise ValueError(f"is damaged: it has no `{place}`") from None
        raise ValueError(f"is damaged: {describe_problem(problem)}") from None
    except ValueError as error:
        raise ValueError(f"is damaged: {error}") from None
    if raw != _rewrite(manifest):
        raise ValueError("is damaged: it does not have the bytes that this job writes")
    return manifest


def _rewrite(manifest: Manifest) -> bytes:
    """Return the bytes that `publish` writes for a manifest, with the files sorted by name."""
    m = manifest
    files = m.entries.values()
    return Manifest.of(m.version, m.run_id, files, copied_from=m.copied_from).to_bytes()
