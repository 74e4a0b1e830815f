"""The docker command, and the options of a container with minimal privileges."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
HARDENED = (
    *("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL"),
    *("--security-opt", "no-new-privileges", "--network", "none"),
)


def docker(*arguments, check=True, timeout=900):
    """Call the docker command in the checkout."""
    done = subprocess.run(
        ["docker", *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, timeout=timeout
    )
    assert not check or done.returncode == 0, done.stderr[-3000:]
    return done
