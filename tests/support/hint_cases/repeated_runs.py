"""Hints of a second run: its id, the lineage key, the changed rows, and the gate."""

import shutil
from pathlib import Path

import pandas as pd
from support.hint_cases.commands import words
from support.hint_cases.places import EMBEDDINGS, TEXTS, more_letters, version_of
from support.obeying import Case
from support.small_runs import write_letters


def _without_key(place):
    """A store whose champion has lost its lineage key."""
    Path("models/lineage/key").unlink()
    more_letters(60).to_parquet("table.parquet")


def _doctor_without_key(place):
    _without_key(place)
    _state(place, EMBEDDINGS)
    return ["doctor"]


def _run_without_key(place):
    _without_key(place)
    _state(place, EMBEDDINGS)
    return ["run"]


def _state(place, options):
    """Set settings by variables instead of options, for commands of a hint that have none."""
    for option in options[1::2]:
        key, _, value = option.partition("=")
        place.set(**{key.replace(".", "__"): value})


def _lineage_of(place):
    return Path(f"models/lineage/{version_of(place)}.npy")


def _damaged_lineage(place):
    _state(place, EMBEDDINGS)
    _lineage_of(place).write_bytes(b"?")
    more_letters(60).to_parquet("table.parquet")
    return ["run"]


def _few_changes(*options):
    def first(place):
        _state(place, EMBEDDINGS)
        more_letters(1).to_parquet("table.parquet")
        return ["run", *options]

    return first


def _other_data(_):
    return ["run", "--run-id", "r1", *EMBEDDINGS, "--set", "split.salt=other"]


def _other_run(*more):
    """Return a change to another run id, as hints ask."""

    def change(_, command, __):
        n = command.index("--run-id")
        return [*command[: n + 1], "another", *command[n + 2 :], *more]

    return change


def _damaged_claim(_):
    Path("models/runs/r1/claim.json").write_text("?")
    return ["run", "--run-id", "r1", *EMBEDDINGS]


def _again_unpublished(damage):
    """Run r1 again, whose version somebody has deleted, in a channel of its own."""

    def first(place):
        version = version_of(place)
        shutil.rmtree(f"models/{version}")
        shutil.rmtree("models/channels")
        damage(place, version)
        return ["run", "--run-id", "r1", *EMBEDDINGS]

    return first


def _damage_latency(*_):
    [path] = Path("models/runs/r1/latency").iterdir()
    path.write_text("?")


def _mount_another_key(place, _):
    done = place.run("lineage", "keygen")
    Path("key.txt").write_text(done.stdout)
    Path("models/lineage/key").unlink()
    place.set(lineage__key_file="key.txt")


def _occupy_all_names(_, version):
    from datetime import datetime, timedelta

    stamp = datetime.strptime(version[1:16], "%Y%m%d_%H%M%S")
    for n in range(9):
        folder = Path(f"models/v{stamp + timedelta(seconds=n):%Y%m%d_%H%M%S}{version[16:]}")
        folder.mkdir()
        (folder / "model.joblib").write_text("foreign")


def _rejected(place):
    """A table of which every tenth label is another one, and a high floor."""
    table = write_letters()
    table.loc[::10, "intent"] = table["intent"].to_numpy()[1::10]
    table.to_parquet("table.parquet")
    _state(place, TEXTS)
    place.set(gate__floors__accuracy=1, publish__channel="new")
    return ["run"]


def _drifted(place):
    table = write_letters()
    table = pd.concat([table, table.assign(text=table["text"] + " more")], ignore_index=True)
    table = table[table["intent"] != "stop"].assign(text=lambda t: "zu " * 40 + t["text"])
    pd.concat([table, write_letters(60, seed=2)]).to_parquet("table.parquet")
    return ["run", *TEXTS, "--set", "drift.action=fail", "--override", "checked"]


def _mount_own_key(place, command, outputs):
    Path("key.txt").write_text(outputs[0])
    place.set(lineage__key_file="key.txt")
    return command


def _first_run(place):
    place.set(store__uri="new")
    return ["run", *EMBEDDINGS]


REPEATED_RUNS = (
    Case(
        "{}, where everyone who can read the whole store can read it",
        words("doctor"),
        0,
        change=_mount_own_key,
    ),
    Case(
        "everyone who can read the whole store can read this key",
        _first_run,
        0,
        change=_mount_own_key,
    ),
    Case(
        "or promote once without it: `pcc-job run --override REASON`; `lineage`",
        _doctor_without_key,
        2,
        own={"REASON": "checked"},
    ),
    Case(
        "promote once without it: `pcc-job run --override REASON`",
        _run_without_key,
        2,
        own={"REASON": "checked"},
        name="key",
    ),
    Case(
        "or delete it, and promote a candidate",
        _damaged_lineage,
        8,
        by_hand=lambda place: _lineage_of(place).unlink(),
        own={"REASON": "checked"},
    ),
    Case(
        "or publish with `pcc-job run --override REASON`",
        _few_changes(),
        0,
        own={"REASON": "checked"},
    ),
    Case(
        "add --override REASON to the same command",
        _few_changes("--output", "table"),
        0,
        own={"REASON": "checked"},
        take="add.*",
    ),
    Case(
        "or the dataset and settings of that version",
        _other_data,
        2,
        change=_other_run("--override", "checked"),
    ),
    Case(
        "run again with another --run-id",
        _damaged_claim,
        8,
        change=_other_run("--override", "checked"),
        name="claim",
    ),
    Case(
        "run again with another --run-id",
        _again_unpublished(_damage_latency),
        8,
        change=_other_run(),
        name="latency",
    ),
    Case(
        "put that key first in lineage.key_file",
        _again_unpublished(_mount_another_key),
        2,
        change=_other_run(),
    ),
    Case(
        "then run again with another --run-id",
        _again_unpublished(_occupy_all_names),
        8,
        change=_other_run(),
    ),
    Case(
        "shows the report; `pcc-job run --override REASON`",
        _rejected,
        6,
        own={"REASON": "checked", " --open": ""},
    ),
    Case("--set drift.action=warn", _drifted, 4),
)
