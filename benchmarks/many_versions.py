"""Count the requests of commands on a store of many versions and moves, in a MinIO of its own.

    python -m benchmarks.many_versions 5000

Each version has the metadata and the lineage that a run on the sample table has published; its
other files have little content.  The channel has moved to each version in turn.  The requests are
counted at the client.

Prints, for each command, requests and seconds, and rows of docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from benchmarks.many_versions_data import fill, name_of, publish_sample
from job import registry
from job.adapters.stores.s3 import S3Store
from job.adapters.stores.s3.client import Connection, connect
from job.contracts.lineage_key import KeyRing
from job.contracts.ports import ArtifactStore
from job.contracts.settings.store import S3Spec, StoreSpec
from job.contracts.store_bounds import MAX_LINEAGE_BYTES
from job.logs import configure_logs
from job.registry.champion import list_compared, load_champion
from job.registry.claims import find_claim
from job.registry.lineage_check import check_lineage
from job.registry.lineage_files import lineage_key
from job.registry.lineage_keys import LineageKeys
from job.registry.read_version import read_lineage_entry
from job.registry.readable import list_readable

MAX_REQUESTS: Final = 120
MAX_SECONDS: Final = 5.0
_MINIO: Final = "quay.io/minio/minio:RELEASE.2025-09-07T16-13-09Z"
_KEEP: Final = 20


def _list(store: ArtifactStore) -> None:
    registry.list_models(store, _KEEP)


def _show(name: str, store: ArtifactStore) -> None:
    registry.read_verified(store, registry.resolve_version(store, name))


def _roll_back(store: ArtifactStore) -> None:
    at = datetime.now(UTC)
    registry.roll_back(
        store, "production", at=at, by="benchmark", is_republished=False, is_dry_run=True
    )


def _prune(store: ArtifactStore) -> None:
    before = store.read_clock() - timedelta(hours=24)
    registry.prune_versions(store, before=before, keep=_KEEP, is_dry_run=True, token="benchmark")


def _start_run(store: ArtifactStore) -> None:
    """Make the requests of a run before its search, except those for its table."""
    store.probe("benchmark")
    find_claim(store, "benchmark", {})
    for version in list_compared(store, "production", None):
        read_lineage_entry(store, version)
    for version in list_readable(store, None):
        store.get(lineage_key(version), max_bytes=MAX_LINEAGE_BYTES)
    load_champion(store, "production", LineageKeys(store, KeyRing()))


def _check_lineage(store: ArtifactStore) -> None:
    check_lineage(store, LineageKeys(store, KeyRing()), "production", None)


COMMANDS: Final[dict[str, Callable[[ArtifactStore], object]]] = {
    "list": _list,
    "show VERSION": lambda store: _show(name_of(0), store),
    "show latest": lambda store: _show("latest", store),
    "show production": lambda store: _show("production", store),
    "history": lambda store: registry.list_history(store, "production"),
    "rollback --dry-run": _roll_back,
    "prune --keep 20 --dry-run": _prune,
    "start of a run": _start_run,
    "lineage keys (doctor)": _check_lineage,
}


def measure(connection: Connection, bucket: str, prefix: str) -> dict[str, dict[str, Any]]:
    """Return the number of requests and the seconds of each command."""
    requests: list[object] = []
    client: Any = connection.client
    client.meta.events.register("before-send.s3", lambda **sent: requests.append(sent["request"]))
    store, found = S3Store(connection, StoreSpec(uri=f"s3://{bucket}/{prefix}")), {}
    for name, command in COMMANDS.items():
        requests.clear()
        started = time.perf_counter()
        command(store)
        seconds = round(time.perf_counter() - started, 2)
        found[name] = {"requests": len(requests), "seconds": seconds}
    return found


@contextmanager
def _running_minio() -> Iterator[str]:
    """Run MinIO in a container that keeps its data in memory, and yield its URL."""
    os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.wait_strategies import HttpWaitStrategy

    credentials = {"AWS_ACCESS_KEY_ID": "benchmark", "AWS_SECRET_ACCESS_KEY": "benchmark-secret"}
    os.environ |= credentials
    container = (
        DockerContainer(_MINIO)
        .with_exposed_ports(9000)
        .with_env("MINIO_ROOT_USER", credentials["AWS_ACCESS_KEY_ID"])
        .with_env("MINIO_ROOT_PASSWORD", credentials["AWS_SECRET_ACCESS_KEY"])
        .with_tmpfs_mount("/data", "size=4g")  # a disk would be synced for each object
        .with_command("server /data")
        .waiting_for(HttpWaitStrategy(9000, "/minio/health/ready"))
    )
    with container:
        yield f"http://localhost:{container.get_exposed_port(9000)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("versions", type=int)
    n_versions = parser.parse_args().versions
    configure_logs("warning")
    with _running_minio() as url, tempfile.TemporaryDirectory() as name:
        connection = connect(S3Spec(endpoint_url=url, region="us-east-1", read_timeout_seconds=300))
        client: Any = connection.client
        client.create_bucket(Bucket="many")
        template = publish_sample(Path(name))
        started = time.perf_counter()
        fill(connection, "many", "models", template, n_versions)
        print(f"filled in {time.perf_counter() - started:.0f} s", flush=True)
        found = measure(connection, "many", "models")
    print(json.dumps({"n_versions": n_versions, "commands": found}))
    for name, cost in found.items():
        print(f"| {name} | {cost['requests']} | {cost['seconds']:.1f} s |")


if __name__ == "__main__":
    main()
