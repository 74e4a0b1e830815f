"""Run the job on one table with many salts, and ask what hangs on the salt.

    python -m benchmarks.salts TABLE [--salts 20] [--set KEY=VALUE]

The default salt and the numbers from 0 are tried, each by a run of its own into an empty store.

Printed is one line a salt: outcome, accuracy with its interval, the largest difference of a class's
share between the sides, the threshold, and the accuracy on the challenge set if
`--set evaluation.challenge_uri=...` names one; then one JSON object, and a row of
docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any


def run(table: str, salt: str | None, sets: list[str]) -> dict[str, Any]:
    """Return what a run with this salt says; None is the default salt."""
    values = [*sets, *([] if salt is None else [f"split.salt={salt}"])]
    options = [word for value in values for word in ("--set", value)]
    with tempfile.TemporaryDirectory() as store:
        arguments = ("--dataset", table, "--store", store, *options)
        done = subprocess.run(
            [sys.executable, "-m", "job", "run", *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in (0, 6):
            raise SystemExit(done.stderr)
        (path,) = Path(store).rglob("evaluation.json")
        evaluation = json.loads(path.read_text())
    interval, challenge = evaluation["intervals"]["scores"]["accuracy"], evaluation["challenge"]
    return {
        "outcome": json.loads(done.stdout)["outcome"],
        "method": evaluation["method"],
        "accuracy": interval["value"],
        "lower": interval["lower"],
        "upper": interval["upper"],
        "class_share_difference": evaluation["split"]["class_share_difference"],
        "threshold": (evaluation["decision"] or {}).get("threshold"),
        "challenge": challenge and challenge["scores"]["accuracy"],
    }


def summarize(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what differs from run to run."""
    accuracies = [one["accuracy"] for one in found]
    n_held = 0
    for n, one in enumerate(found):
        others = statistics.mean(accuracies[:n] + accuracies[n + 1 :])
        n_held += one["lower"] <= others <= one["upper"]
    challenges = [one["challenge"] for one in found if one["challenge"] is not None]
    return {
        "runs": len(found),
        "published": sum(one["outcome"] == "published" for one in found),
        "mean": round(statistics.mean(accuracies), 4),
        "deviation": round(statistics.stdev(accuracies), 4),
        "intervals_that_hold_the_mean_of_the_others": n_held,
        "largest_class_share_difference": round(
            max(one["class_share_difference"] for one in found), 4
        ),
        "thresholds": sum(one["threshold"] is not None for one in found),
        "challenge": round(statistics.mean(challenges), 4) if challenges else None,
        "challenge_least": min(challenges, default=None),
    }


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table")
    parser.add_argument("--salts", type=int, default=20)
    parser.add_argument("--set", action="append", default=[])
    options = parser.parse_args(arguments)
    found = []
    for salt in (None, *map(str, range(options.salts))):
        one = run(options.table, salt, options.set)
        found.append(one)
        print(json.dumps({"salt": salt, **one}), flush=True)
    result = summarize(found)
    print(json.dumps(result))
    print("| " + " | ".join(str(value) for value in result.values()) + " |")


if __name__ == "__main__":
    main(sys.argv[1:])
