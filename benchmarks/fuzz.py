"""Give hostile input to the job; list what ends in a traceback, in exit code 1, or not at all.

`tests/unit/fuzz` runs a part of each.
"""

import argparse
import sys
import time

from benchmarks import settings_fuzz, table_fuzz

# a function of the number of cases and the seed, which returns the numbers of failed cases by bug
SUBJECTS = {
    "settings": settings_fuzz.fuzz,
    "tables": table_fuzz.fuzz,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("subject", choices=sorted(SUBJECTS))
    parser.add_argument("n_cases", type=int, nargs="?", default=3000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    started = time.monotonic()
    bugs = SUBJECTS[options.subject](options.n_cases, seed=options.seed)
    for bug, numbers in sorted(bugs.items()):
        print(f"{len(numbers)} times (case {numbers[0]}): {bug}")
    n_failed = sum(map(len, bugs.values()))
    seconds = time.monotonic() - started
    print(f"| {options.subject} | {options.n_cases} | {n_failed} | {len(bugs)} | {seconds:.0f} s |")
    sys.exit(1 if bugs else 0)


if __name__ == "__main__":
    main()
