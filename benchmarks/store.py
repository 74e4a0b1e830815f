"""Compare publishing and fetching a payload with copying the same files with the MinIO client."""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from job.adapters.stores.s3 import S3Store
from job.adapters.stores.s3.client import connect
from job.contracts.settings.store import S3Spec, StoreSpec
from job.registry import fetch_version
from job.registry.publish import name_version, publish


def measure(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bucket", help="an existing bucket; AWS_* variables say where and who")
    parser.add_argument("--mc", nargs="+", default=["mc"], help="how to call mc")
    parser.add_argument("--alias", required=True, help="mc's alias of the same store")
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    options = parser.parse_args()
    payload = os.urandom(options.megabytes * 10**6)
    files = {"model.joblib": payload, "metadata.json": b'{"run_id": "benchmark"}'}
    times: dict[str, list[float]] = {name: [] for name in ("publish", "mc up", "fetch", "mc down")}
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "up").mkdir()
        for key, data in files.items():
            (folder / "up" / key).write_bytes(data)
        for n in range(options.rounds):
            at = datetime(2026, 1, 1, 0, 0, n, tzinfo=UTC)
            prefix, version = uuid.uuid4().hex, name_version("benchmark", at)
            store = S3Store(connect(S3Spec()), StoreSpec(uri=f"s3://{options.bucket}/{prefix}"))
            there = f"{options.alias}/{options.bucket}/mc-{prefix}"

            def copy(*arguments: str) -> None:
                command = [*options.mc, "cp", "--quiet", "--recursive", *arguments]
                subprocess.run(command, check=True, capture_output=True)

            ours = folder / f"ours-{n}"
            times["publish"].append(measure(partial(publish, store, version, "benchmark", files)))
            times["mc up"].append(measure(partial(copy, f"{folder}/up/", f"{there}/")))
            times["fetch"].append(measure(partial(fetch_version, store, version, ours)))
            times["mc down"].append(measure(partial(copy, f"{there}/", f"{folder}/mc-{n}/")))
    medians = {name: statistics.median(values) for name, values in times.items()}
    print(
        json.dumps(
            {
                "seconds": {name: round(value, 3) for name, value in medians.items()},
                "publish_ratio": round(medians["mc up"] / medians["publish"], 2),
                "fetch_ratio": round(medians["mc down"] / medians["fetch"], 2),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
