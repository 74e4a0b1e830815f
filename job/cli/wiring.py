"""Build the adapters, read the clock, make the run id, and hand over to the pipeline."""

from __future__ import annotations

import os
import platform
import subprocess
import time
import uuid
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import structlog

from job.adapters.stores.directory import DirectoryStore
from job.contracts.specs import JobSettings
from job.errors import ConfigurationError, ExitCode, GateRejectedError, JobError
from job.recorder import Recorder
from job.settings import EffectiveSettings
from job.signals import watch

log = structlog.get_logger(__name__)
_DEFAULT_URIS = ("/data/curated_training_data.parquet", "/data/curated_training_data.csv")
_PACKAGES = ("great-expectations", "joblib", "numpy", "pandas", "pyarrow", "scikit-learn", "scipy")


def open_store(settings: JobSettings) -> DirectoryStore:
    """Open the store at store.uri, a path or a file:// URI."""
    parsed = urlparse(settings.store.uri)
    if parsed.scheme == "file":
        return DirectoryStore(Path(unquote(parsed.path)))
    if "://" in settings.store.uri:
        raise ConfigurationError(
            f"stores of scheme '{parsed.scheme}' are not supported",
            hint="give a path or a file:// URI",
        )
    return DirectoryStore(Path(settings.store.uri))


def suite_folder() -> Path:
    """Find the suites: in the wheel, or beside the package in a checkout."""
    package = Path(__file__).parent.parent
    inside = package / "expectations"
    return inside if inside.is_dir() else package.parent / "expectations"


def run_job(
    effective: EffectiveSettings, run_id: str | None, *, is_dry_run: bool
) -> dict[str, Any]:
    """Run the whole job; its record is written whatever happens."""
    settings = effective.settings
    name = run_id or uuid.uuid4().hex
    if not name.replace("-", "").replace("_", "").replace(".", "").isalnum() or name[0] == ".":
        raise ConfigurationError(
            "--run-id takes letters, digits, '.', '_' and '-'", hint="choose another"
        )
    store = open_store(settings)
    recorder = Recorder(store, name, time.perf_counter)
    watch(lambda signal, code: recorder.write("ended", signal=signal, exit_code=int(code)))
    with structlog.contextvars.bound_contextvars(run_id=name):
        try:
            result = _execute(settings, store, recorder, name, is_dry_run=is_dry_run)
        except GateRejectedError as error:
            recorder.write("rejected", exit_code=int(error.exit_code), reason=error.message)
            raise
        except JobError as error:
            recorder.write("failed", exit_code=int(error.exit_code), reason=error.message)
            log.error(
                "run_failed", error=type(error).__name__, reason=error.message, stage=recorder.stage
            )
            raise
        except Exception:
            recorder.write("crashed", exit_code=int(ExitCode.UNFORESEEN))
            raise
        recorder.write(result["outcome"], exit_code=0, version=result["version"])
        log.info(
            "run_finished",
            outcome=result["outcome"],
            version=result["version"],
            duration_seconds=result["duration_seconds"],
        )
    return result


def _execute(
    settings: JobSettings,
    store: DirectoryStore,
    recorder: Recorder,
    run_id: str,
    *,
    is_dry_run: bool,
) -> dict[str, Any]:
    ports, suite, uri = _ports(settings, store), _suite(settings), _dataset_uri(settings)
    from job.pipeline import Plan, run

    plan = Plan(
        settings=settings,
        suite=suite,
        dataset_uri=uri,
        run_id=run_id,
        started_at=datetime.now(UTC),
        is_dry_run=is_dry_run,
        environment=_environment(),
    )
    return run(plan, ports, recorder)


def validate_only(effective: EffectiveSettings) -> dict[str, Any]:
    """Ingest and validate, without a store."""
    settings = effective.settings
    watch(lambda _signal, _code: None)
    from job.pipeline import Plan, load

    store = DirectoryStore(Path(os.devnull))
    recorder = Recorder(store, "validate", time.perf_counter)
    plan = Plan(
        settings=settings,
        suite=_suite(settings),
        dataset_uri=_dataset_uri(settings),
        run_id="validate",
        started_at=datetime.now(UTC),
        is_dry_run=True,
        environment={},
    )
    ports = _ports(settings, store)
    _, report, _ = load(plan, ports, plan.dataset_uri, recorder)
    if settings.dataset.test_uri:
        load(plan, ports, settings.dataset.test_uri, recorder, is_test=True)
    content: dict[str, Any] = report.to_json()
    return content


def _ports(settings: JobSettings, store: DirectoryStore) -> Any:
    from job.adapters.codecs.canonical_joblib import JoblibCodec
    from job.adapters.executors.local import LocalThreads
    from job.adapters.gx import GreatExpectations
    from job.adapters.rendering.pages import Pages
    from job.adapters.tables import ArrowTables
    from job.pipeline import Ports

    return Ports(
        source=ArrowTables(),
        suites=GreatExpectations(),
        store=store,
        codec=JoblibCodec(),
        executor=LocalThreads(settings.search.workers),
        renderer=Pages(),
        timer=time.perf_counter,
    )


def _suite(settings: JobSettings) -> Any:
    from job.adapters.gx import SuiteFolder

    return SuiteFolder(suite_folder()).load(settings.expectations.suite)


def _dataset_uri(settings: JobSettings) -> str:
    if settings.dataset.uri is not None:
        return settings.dataset.uri
    return next((uri for uri in _DEFAULT_URIS if Path(uri).exists()), _DEFAULT_URIS[0])


def _environment() -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in (*_PACKAGES, "pcc-training-job")},
        "git_revision": os.environ.get("GIT_REVISION") or _git_revision(),
        "cpu": _cpu(),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _git_revision() -> str | None:
    try:
        done = subprocess.run(  # noqa: S603  # fixed arguments
            ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except OSError:
        return None
    return done.stdout.strip() or None


def _cpu() -> str:
    """Name the kernel set that the BLAS chose: bytes repeat on the same one only."""
    import numpy as np  # noqa: F401  # loads the BLAS
    import threadpoolctl

    found = {
        i.get("architecture")
        for i in threadpoolctl.threadpool_info()
        if i.get("user_api") == "blas"
    }
    return " ".join(sorted(str(name) for name in found if name)) or platform.machine()


def fetch(store: DirectoryStore, version_name: str, directory: Path) -> Path:
    """Write a verified version below a folder, whole or not at all."""
    import shutil
    import tempfile

    from job.registry import read_verified
    from job.stages.publish import MANIFEST

    files = {
        **read_verified(store, version_name),
        MANIFEST: store.get(f"{version_name}/{MANIFEST}") or b"",
    }
    target = directory / version_name
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=directory, prefix=".tmp-") as name:
            staged = Path(name) / version_name
            for key, data in files.items():
                (staged / key).parent.mkdir(parents=True, exist_ok=True)
                (staged / key).write_bytes(data)
            if target.exists():
                shutil.rmtree(target)
            staged.rename(target)
    except OSError as error:
        raise ConfigurationError(
            f"'{directory}' cannot be written: {os.strerror(error.errno or 0)}",
            hint="choose another folder",
        ) from error
    return target
