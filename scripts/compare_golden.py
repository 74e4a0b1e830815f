"""Show how the golden files of the sample runs differ from those of a git revision.

    python -m scripts.compare_golden REVISION

Prints each renamed key and the number of changed strings.  Fails if anything else differs: a
number, a boolean, null, the length of a list, or a key without a counterpart.
"""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDER = Path("tests/golden/published")


class Comparison:
    """Collects the renamed keys and the changed strings of two JSON values."""

    def __init__(self) -> None:
        self.renamed: Counter[tuple[str, str]] = Counter()
        self.n_strings = 0

    def differences(self, old: object, new: object, path: str = "") -> Iterator[str]:
        """Yield the location of each difference other than renamed keys and changed strings."""
        if isinstance(old, dict) and isinstance(new, dict):
            yield from self._differences_of_objects(old, new, path)
        elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
            for n, (one, other) in enumerate(zip(old, new, strict=True)):
                yield from self.differences(one, other, f"{path}[{n}]")
        elif isinstance(old, str) and isinstance(new, str):
            self.n_strings += old != new
        elif old != new:
            yield path

    def _differences_of_objects(
        self, old: dict[str, object], new: dict[str, object], path: str
    ) -> Iterator[str]:
        for key in old.keys() & new.keys():
            yield from self.differences(old[key], new[key], f"{path}.{key}")
        added = sorted(new.keys() - old.keys())
        for key in sorted(old.keys() - new.keys()):
            match = next(
                (k for k in added if not list(Comparison().differences(old[key], new[k]))), None
            )
            if match is None:
                yield f"{path}.{key}"
                continue
            added.remove(match)
            self.renamed[key, match] += 1
            yield from self.differences(old[key], new[match], f"{path}.{match}")
        yield from (f"{path}.{key} (new)" for key in added)


def main() -> None:
    revision, comparison = sys.argv[1], Comparison()
    found: list[str] = []
    for file in sorted((ROOT / FOLDER).rglob("*.json")):
        name = file.relative_to(ROOT).as_posix()
        old = subprocess.run(
            ["git", "show", f"{revision}:{name}"], cwd=ROOT, capture_output=True, check=True
        ).stdout
        found += comparison.differences(json.loads(old), json.loads(file.read_text()), name)
    for (old_key, new_key), n in sorted(comparison.renamed.items()):
        print(f"{old_key} -> {new_key}: {n} times")
    print(f"strings changed: {comparison.n_strings}")
    if found:
        raise SystemExit("\n".join(["changed besides:", *found]))


if __name__ == "__main__":
    main()
