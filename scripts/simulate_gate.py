"""Simulate decisions with the gate's own functions, and write the tables of docs/gate.md.

`--check` compares the page's settings with those of this script, and recomputes one cheap cell.

How it works
------------
1. A model is represented by whether it predicts each row correctly.  The next model differs from it
   in a share of the rows (`discordant`), and its true accuracy is lower by a given drop.
2. The gate's paired bootstrap and criterion compare both models; the tables count acceptances.
3. A chain retrains every week for a year, and each candidate is slightly worse than the champion.
"""

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from job.contracts.metrics import METRICS
from job.contracts.reports.comparison import Comparison
from job.contracts.settings.gate import GateSpec, PairedSpec
from job.stages.gate.comparison_criteria import champion_criterion
from job.stages.gate.paired_bootstrap import Difference, compare_pair
from job.stages.gate.power import can_show_margin, describe_power
from scripts.simulated_models import ACCURACY, N_CLASSES, World, first_model, next_model

PAGE = Path(__file__).parent.parent / "docs/gate.md"
SEED = 5
N_ROWS = (500, 2000, 10_000)
DISCORDANT = (0.04, 0.08)
DROPS = (0.0, 0.01, 0.02, 0.03, 0.05)
MARGINS = (0.01, 0.02, 0.03)
SIMULATIONS = 2000
WEEKS, CHAINS, CHAIN_ROWS = 52, 100, 2000
CHAIN_DROPS = (0.0, 0.0025, 0.005, 0.01)
SPEC = PairedSpec(metric=METRICS["f1_macro"], alpha=0.05, resamples=2000, random_state=42)
CHEAP = (500, 0.04, 0.0)
ERRORS = (0.0025, 0.005, 0.008, 0.012, 0.0168, 0.0245, 0.04, 0.07)
EVEN_GROUPS, EVEN_DISCORDANT, EVEN_DROPS = 3000, 0.08, (0.0, 0.02, 0.03)
EVEN_SIMULATIONS = 1000


def decided(before: World, after: World, spec: PairedSpec = SPEC) -> Difference:
    """Compare two models by the gate's own bootstrap; each row is its own group."""
    groups = np.arange(len(before.y))
    return compare_pair(before.predictions(), after.predictions(), groups, spec)


def accepts(measured: Difference, **gate: Any) -> bool:
    """Return whether the gate's own criterion accepts the candidate."""
    comparison = Comparison(
        role="champion",
        version="v",
        metric=SPEC.metric.name,
        n_rows=1,
        champion_score=measured.champion_score,
        candidate_score=measured.candidate_score,
        difference=measured.interval,
        standard_error=measured.standard_error,
    )
    return champion_criterion(comparison, GateSpec(**gate)).is_met


def simulate_cell(n_rows: int, discordant: float, drop: float, n: int = SIMULATIONS) -> list[float]:
    """Return the accepted shares: by non-inferiority with each margin, then by superiority."""
    rng = np.random.default_rng([SEED, n_rows, round(1e4 * discordant), round(1e4 * drop)])
    counts = np.zeros(len(MARGINS) + 1)
    for _ in range(n):
        before = first_model(n_rows, rng)
        measured = decided(before, next_model(before, discordant, drop, rng))
        counts += [accepts(measured, margin=m, inconclusive="reject") for m in MARGINS] + [
            accepts(measured, rule="superiority")
        ]
    return [float(count) / n for count in counts]


def simulate_slide(drop: float, *, has_anchor: bool, n: int = CHAINS) -> tuple[float, float]:
    """Simulate a year of retrainings whose candidates are each `drop` worse than the champion.

    Returns
    -------
    n_accepted, lost
        Means over the chains: number of accepted candidates, and loss of accuracy since the anchor,
        in percentage points.
    """
    rng = np.random.default_rng([SEED, round(1e5 * drop)])
    accepted, lost = [], []
    for _ in range(n):
        anchor = champion = first_model(CHAIN_ROWS, rng)
        n_accepted = 0
        for _ in range(WEEKS):
            accuracy = ACCURACY - n_accepted * drop
            candidate = next_model(champion, 0.04, drop, rng, accuracy=accuracy)
            passes = accepts(decided(champion, candidate), inconclusive="reject")
            if passes and has_anchor:
                passes = accepts(decided(anchor, candidate), inconclusive="reject")
            if passes:
                champion, n_accepted = candidate, n_accepted + 1
        accepted.append(n_accepted)
        lost.append(100 * n_accepted * drop)
    return float(np.mean(accepted)), float(np.mean(lost))


def cells() -> list[tuple[int, float, float]]:
    return [(n, q, d) for q in DISCORDANT for n in N_ROWS for d in DROPS if d <= q]


def header() -> str:
    return (
        f"{SIMULATIONS} simulations a cell, seed {SEED}, {SPEC.resamples} resamples, "
        f"{SPEC.metric.name}, alpha {SPEC.alpha}, {N_CLASSES} equal classes, "
        f"champion {ACCURACY:.0%} right, a row a group"
    )


def line(cell: tuple[int, float, float], shares: list[float]) -> str:
    n_rows, discordant, drop = cell
    values = " | ".join(f"{100 * share:.1f}" for share in shares)
    return f"| {discordant:.0%} | {n_rows:,} | {100 * drop:.0f} | {values} |"


def power_table(shares_by_cell: list[list[float]]) -> Iterator[str]:
    yield header() + "."
    yield ""
    margins = " | ".join(f"margin {100 * margin:.0f}" for margin in MARGINS)
    yield f"| discordant | rows | true drop, points | {margins} | superiority |"
    yield "|---:|---:|---:|" + "---:|" * (len(MARGINS) + 1)
    yield from (line(cell, shares) for cell, shares in zip(cells(), shares_by_cell, strict=True))


def slide_table(means: list[tuple[float, float]]) -> Iterator[str]:
    yield (
        f"{WEEKS} retrainings, {CHAINS} times, {CHAIN_ROWS:,} rows, 4% discordant each week, "
        f"margin {GateSpec().margin}, seed {SEED}."
    )
    yield ""
    yield "| each is worse by, points | anchor | accepted of 52 | lost in a year, points |"
    yield "|---:|---|---:|---:|"
    runs = [(drop, has) for drop in CHAIN_DROPS for has in (False, True)]
    for (drop, has_anchor), (accepted, lost) in zip(runs, means, strict=True):
        shown = "yes" if has_anchor else "no"
        yield f"| {100 * drop:.2f} | {shown} | {accepted:.1f} | {lost:.1f} |"


def shown_table() -> Iterator[str]:
    """Yield the table of the gate's power by the standard error of the comparison."""
    spec = GateSpec()
    yield (
        f"margin {spec.margin}, alpha {spec.alpha}, max_drop {spec.max_drop}, "
        f"inconclusive {spec.inconclusive}."
    )
    yield ""
    yield "| standard error | decided by | equal accepted, % | drop that passes in 5%, points |"
    yield "|---:|---|---:|---:|"
    for error in ERRORS:
        power = describe_power(error, spec, SPEC.metric.name)
        rule = "margin" if can_show_margin(error, spec) else "default"
        equal, drop = 100 * power.equal_accepted, 100 * power.largest_drop
        yield f"| {error:g} | {rule} | {equal:.1f} | {drop:.1f} |"


def simulate_even(drop: float) -> float:
    """Return the share of candidates, worse by `drop`, that the default settings accept."""
    rng = np.random.default_rng([SEED, EVEN_GROUPS, round(1e4 * drop)])
    n_accepted = 0
    for _ in range(EVEN_SIMULATIONS):
        before = first_model(EVEN_GROUPS, rng)
        measured = decided(before, next_model(before, EVEN_DISCORDANT, drop, rng))
        n_accepted += accepts(measured)
    return n_accepted / EVEN_SIMULATIONS


def even_table(shares: list[float]) -> Iterator[str]:
    yield (
        f"{EVEN_SIMULATIONS} simulations, {EVEN_GROUPS:,} even groups, {EVEN_DISCORDANT:.0%} "
        f"discordant, seed {SEED}."
    )
    yield ""
    yield "| true drop, points | accepted, % |"
    yield "|---:|---:|"
    for drop, share in zip(EVEN_DROPS, shares, strict=True):
        yield f"| {100 * drop:.0f} | {100 * share:.1f} |"


def write(workers: int) -> None:
    with ProcessPoolExecutor(workers) as pool:
        power = [pool.submit(simulate_cell, *cell) for cell in cells()]
        slides = [
            pool.submit(simulate_slide, drop, has_anchor=has)
            for drop in CHAIN_DROPS
            for has in (False, True)
        ]
        even = [pool.submit(simulate_even, drop) for drop in EVEN_DROPS]
        tables = {
            "shown": shown_table(),
            "even": even_table([job.result() for job in even]),
            "power": power_table([job.result() for job in power]),
            "slide": slide_table([job.result() for job in slides]),
        }
    text = PAGE.read_text()
    for name, lines in tables.items():
        before, start, rest = text.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- /{name} -->")
        assert start and end, f"docs/gate.md has no place for {name}"
        text = "".join((before, start, "\n".join(lines), "\n", end, after))
    PAGE.write_text(text)


def check() -> None:
    text = PAGE.read_text()
    if header() not in text:
        raise SystemExit("docs/gate.md was made with other settings: run scripts.simulate_gate")
    if "\n".join(shown_table()) not in text:
        raise SystemExit("docs/gate.md is stale: run scripts.simulate_gate")
    if line(CHEAP, simulate_cell(*CHEAP)) not in text:
        raise SystemExit("docs/gate.md is stale: run scripts.simulate_gate")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args(sys.argv[1:])
    if arguments.check:
        check()
    else:
        write(arguments.workers)
