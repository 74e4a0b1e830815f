"""Read published versions: which are complete, and their bytes against the manifest."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from job.contracts.digest import Digest, ModelVersion
from job.contracts.lists import shortened
from job.contracts.ports import ArtifactStore
from job.contracts.stored import is_plain
from job.errors import IntegrityError
from job.stages.publish import MANIFEST

_N_THREADS: Final = 4


def list_versions(store: ArtifactStore) -> list[str]:
    """Name the complete versions, oldest first."""
    found = []
    for key in store.keys("v"):
        version, _, name = key.partition("/")
        if name == MANIFEST and is_version(version):
            found.append(version)
    return sorted(found)


def is_version(text: str) -> bool:
    """Say whether a text is the name of a version."""
    try:
        ModelVersion.parse(text)
    except ValueError:
        return False
    return True


def read_verified(
    store: ArtifactStore, version: str, sink: Callable[[str, bytes], None] | None = None
) -> dict[str, bytes]:
    """Read every file of a version against its manifest; the manifest is among them.

    Parameters
    ----------
    sink
        Gets name and bytes of each file while they are being compared; what it makes of them is
        good only if this function returns.

    Raises
    ------
    IntegrityError
        A file is missing or not listed, or its bytes are not those that were published.
    """
    raw = store.get(f"{version}/{MANIFEST}") or b""
    listed = _listed(version, raw)
    prefix = f"{version}/"
    present = {key.removeprefix(prefix) for key in store.keys(prefix)}
    strangers = sorted(present - listed.keys() - {MANIFEST})
    names = sorted(listed)

    def read(name: str) -> bytes | None:
        data = store.get(f"{prefix}{name}")
        if data is None:
            return None
        with ThreadPoolExecutor(1) as beside:
            written = beside.submit(sink, name, data) if sink else None
            is_sound = str(Digest.of(data)) == listed[name]
        if written:
            written.result()
        return data if is_sound else None

    with ThreadPoolExecutor(_N_THREADS) as pool:
        files = dict(zip(names, pool.map(read, names), strict=True))
    broken = [name for name, data in files.items() if data is None]
    if broken or strangers:
        problems = [f"{shortened(broken)} differ from the manifest"] if broken else []
        problems += [f"{shortened(strangers)} are not in it"] if strangers else []
        raise IntegrityError(
            f"{version} is damaged: {'; '.join(problems)}",
            hint="restore the files from a backup, or publish a new version",
            files=[*broken, *strangers],
        )
    if sink:
        sink(MANIFEST, raw)
    return {name: data for name, data in files.items() if data is not None} | {MANIFEST: raw}


def _listed(version: str, raw: bytes) -> dict[str, str]:
    """Read a manifest: digests by name."""
    try:
        content = json.loads(raw)
        listed = {str(e["name"]): str(e["digest"]) for e in content["files"]}
        owner = str(content["version"])
    except (ValueError, KeyError, TypeError):
        raise IntegrityError(
            f"the manifest of {version} ({MANIFEST}) is missing or damaged",
            hint="publish a new version",
        ) from None
    if owner != version:
        raise IntegrityError(
            f"{version}/{MANIFEST} is the manifest of another version",
            hint="restore it from a backup, or publish a new version",
        )
    # NOTE: names become paths where a version is fetched
    if any(not is_plain(n) or {"", ".", ".."} & set(n.split("/")) for n in listed):
        raise IntegrityError(
            f"{version}/{MANIFEST} names a file outside its version",
            hint="do not use this version; find out who wrote it",
        )
    return listed
