"""Fill a store with many versions and moves, for `benchmarks.many_versions`."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from job import registry
from job.adapters.stores.directory import DirectoryStore
from job.adapters.stores.s3.client import Connection
from job.contracts.ports import ArtifactStore
from job.contracts.reports.channel import ChannelMove, ChannelPointer
from job.contracts.reports.manifest import FileEntry, Manifest
from job.contracts.version_files import (
    MANIFEST_FILE,
    METADATA_FILE,
    MODEL_FILE,
    PLAIN_MODEL_FILE,
)
from job.registry.lineage_files import lineage_key, read_lineage_files
from job.registry.publish import name_version
from job.samples import write_sample

_PER_ARCHIVE: Final = 20
_SETTINGS: Final = (
    "dataset.min_rows=50",
    "gate.floors={accuracy: null, precision_macro: null, recall_macro: null, f1_macro: null}",
    "search={estimators: {dummy: {}}, folds: 2}",
    "evaluation={label_noise: false, slices: [], resamples: 1000}",
    "decision.target_precision=null",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """The files of a version by name, and its lineage files by suffix."""

    version: str
    run_id: str
    files: dict[str, bytes]
    lineage: dict[str, bytes]

    @classmethod
    def of(cls, store: ArtifactStore) -> Template:
        """Return the files of the newest version; reports are replaced by a few bytes."""
        version = registry.resolve_version(store, "latest")
        files = registry.read_verified(store, version)
        del files[MANIFEST_FILE]
        kept = (METADATA_FILE, MODEL_FILE, PLAIN_MODEL_FILE)
        return cls(
            version=version,
            run_id=json.loads(files[METADATA_FILE])["run_id"],
            files={name: files[name] if name in kept else b"little" for name in files},
            lineage=dict(read_lineage_files(store, version)),
        )


def publish_sample(folder: Path) -> Template:
    """Publish a model of the sample table in a folder, and return its files."""
    table, store = folder / "sample.parquet", folder / "models"
    write_sample(table, n_rows=200, seed=5, is_csv=False)
    sets = [part for setting in _SETTINGS for part in ("--set", setting)]
    command = (sys.executable, "-m", "job", "run", "--dataset", str(table), "--store", str(store))
    subprocess.run([*command, *sets], check=True, capture_output=True)
    return Template.of(DirectoryStore(store))


def fill(
    connection: Connection, bucket: str, prefix: str, template: Template, n_versions: int
) -> None:
    """Store versions and moves; MinIO unpacks archives of many objects that it receives."""

    def send(first: int) -> None:
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            for n in range(first, min(first + _PER_ARCHIVE, n_versions)):
                for key, data in _generate_objects(template, n):
                    entry = tarfile.TarInfo(f"{prefix}/{key}")
                    entry.size, entry.mtime = len(data), int(_time_of(n).timestamp())
                    tar.addfile(entry, io.BytesIO(data))
        connection.client.put_object(
            Bucket=bucket,
            Key=f"archives/{first}.tar",
            Body=archive.getvalue(),
            Metadata={"Snowball-Auto-Extract": "true"},
        )

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, range(0, n_versions, _PER_ARCHIVE)))
    last = _move_to(n_versions - 1)
    pointer = ChannelPointer(
        version=last.to,
        promoted_at=last.at,
        run_id=last.by,
        move=n_versions,
        origin=last.origin,
        why=last.why,
        champions=tuple(name_of(n) for n in range(n_versions - 2, n_versions - 52, -1) if n >= 0),
    )
    connection.client.put_object(
        Bucket=bucket, Key=f"{prefix}/channels/production.json", Body=pointer.to_bytes()
    )


def _generate_objects(template: Template, n: int) -> Iterator[tuple[str, bytes]]:
    """Yield key and content of all objects of the n-th version, and of the move to it."""
    version, run_id, files = name_of(n), f"night-{n}", dict(template.files)
    for before, after in ((template.version, version), (template.run_id, run_id)):
        files[METADATA_FILE] = files[METADATA_FILE].replace(before.encode(), after.encode())
    entries = [FileEntry.of(name, data) for name, data in files.items()]
    manifest = Manifest.of(version, run_id, entries, copied_from=None)
    for name, data in {**files, MANIFEST_FILE: manifest.to_bytes()}.items():
        yield f"{version}/{name}", data
    for suffix, data in template.lineage.items():
        yield lineage_key(version, suffix), data
    yield f"channels/production/history/{n + 1:06d}.json", _move_to(n).to_bytes()


def _time_of(n: int) -> datetime:
    return datetime(2020, 1, 1, tzinfo=UTC) + timedelta(hours=n)


def name_of(n: int) -> str:
    return name_version(f"night-{n}", _time_of(n))


def _move_to(n: int) -> ChannelMove:
    return ChannelMove(
        at=_time_of(n).isoformat(),
        by=f"night-{n}",
        origin=name_of(n - 1) if n else None,
        to=name_of(n),
        why="accepted by the gate",
    )
