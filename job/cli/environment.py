"""Describe the machine and the installed packages for the record of a run."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from job import __version__

_PACKAGES: Final = (
    "great-expectations",
    "joblib",
    "numpy",
    "pandas",
    "pyarrow",
    "scikit-learn",
    "scipy",
)


def describe_environment() -> dict[str, object]:
    """Return package versions, git revision and CPU type; loads NumPy and its BLAS."""
    return {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "packages": {
            **{name: _version(name) for name in _PACKAGES},
            "pcc-training-job": __version__,
        },
        "git_revision": os.environ.get("GIT_REVISION") or _git_revision(),
        "cpu": _cpu(),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _git_revision() -> str | None:
    """Return the git revision of a checkout; None for an installed package."""
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        return None
    try:
        done = subprocess.run(  # noqa: S603  # fixed arguments
            ["git", "-C", str(root), "rev-parse", "HEAD"],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None


def _cpu() -> str:
    """Return the names of the CPU kernels that the BLAS uses; results depend on them."""
    import numpy as np  # noqa: F401  # loads the BLAS
    import threadpoolctl

    libraries = threadpoolctl.threadpool_info()
    names = {i.get("architecture") for i in libraries if i.get("user_api") == "blas"}
    return " ".join(sorted(str(name) for name in names if name)) or platform.machine()
