"""Check that a tag, the package and the chart have the same version.

    python3 -m scripts.check_release v1.2.3

It needs no installed packages, so that a release fails before anything is built.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
PLACES: Final = {
    "job/__init__.py": r'^__version__ = "(.+)"$',
    "charts/pcc-training-job/Chart.yaml": r'^appVersion: "?([^"\n]+)"?$',
}


def find_versions(root: Path = ROOT) -> dict[str, str]:
    """Return the version that each file states, by path; an empty string if it states none."""
    found = {
        path: re.search(pattern, (root / path).read_text(), re.MULTILINE)
        for path, pattern in PLACES.items()
    }
    return {path: match[1] if match else "" for path, match in found.items()}


def find_problems(tag: str, versions: dict[str, str]) -> list[str]:
    """Return one message for each file whose version is not that of the tag."""
    return [
        f"{path} has version '{version}', the tag is '{tag}'"
        for path, version in versions.items()
        if tag != f"v{version}"
    ]


def main(arguments: list[str]) -> int:
    """Compare the tag on the command line with the files, and return the exit code."""
    if len(arguments) != 1:
        print("usage: python3 -m scripts.check_release TAG", file=sys.stderr)
        return 2
    problems = find_problems(arguments[0], find_versions())
    print("\n".join(problems) or f"all versions are that of {arguments[0]}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
