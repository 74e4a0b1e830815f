"""Run the job on one table with many salts, and measure how the results depend on the salt.

    python -m benchmarks.salts TABLE [--salts 20] [--set KEY=VALUE]

Tries the default salt and the numbers from 0, each in a run with an empty store.

Prints one line for each salt: outcome, accuracy with its interval, the largest difference between a
class's shares in train and test, the threshold, and the accuracy on the challenge set if
`--set evaluation.challenge_uri=...` names one.  Then prints one JSON object and a row of
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
    """Return the results of a run with this salt; None for the default salt."""
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


def summarize(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the statistics over the runs."""
    accuracies = [result["accuracy"] for result in results]
    n_covering = 0
    for n, result in enumerate(results):
        others = statistics.mean(accuracies[:n] + accuracies[n + 1 :])
        n_covering += result["lower"] <= others <= result["upper"]
    challenges = [result["challenge"] for result in results if result["challenge"] is not None]
    return {
        "runs": len(results),
        "published": sum(result["outcome"] == "published" for result in results),
        "mean": round(statistics.mean(accuracies), 4),
        "deviation": round(statistics.stdev(accuracies), 4),
        "intervals_that_hold_the_mean_of_the_others": n_covering,
        "largest_class_share_difference": round(
            max(result["class_share_difference"] for result in results), 4
        ),
        "thresholds": sum(result["threshold"] is not None for result in results),
        "challenge": round(statistics.mean(challenges), 4) if challenges else None,
        "challenge_least": min(challenges, default=None),
    }


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table")
    parser.add_argument("--salts", type=int, default=20)
    parser.add_argument("--set", action="append", default=[])
    options = parser.parse_args(arguments)
    results = []
    for salt in (None, *map(str, range(options.salts))):
        result = run(options.table, salt, options.set)
        results.append(result)
        print(json.dumps({"salt": salt, **result}), flush=True)
    summary = summarize(results)
    print(json.dumps(summary))
    print("| " + " | ".join(str(value) for value in summary.values()) + " |")


if __name__ == "__main__":
    main(sys.argv[1:])
