"""Hints about versions, channels and keys in a store."""

import json
import shutil
from pathlib import Path

import pandas as pd
from support.forged_versions import forge
from support.hint_cases.commands import words
from support.hint_cases.places import EMBEDDINGS, TEXTS, more_letters, version_of
from support.obeying import Case
from support.small_runs import write_letters


def _versions(outputs):
    return [version["version"] for version in json.loads(outputs[0])["versions"]]


def _to_newest(_, command, outputs):
    return [*command, "--set", f"gate.anchor={_versions(outputs)[-1]}"]


def _expected_elsewhere(place):
    texts = version_of(place, "texts")
    return ["models", "promote", texts, "--expect", texts]


def _expected_in_new_channel(place):
    texts = version_of(place, "texts")
    return ["models", "promote", texts, "--channel", "new", "--expect", texts]


def _far_future(place):
    """A folder of a version of the year 9999, and a channel with two moves."""
    assert 0 == place.run("models", "promote", "texts").code
    folder = place.folder / "models/v99991231_235959_00000000"
    folder.mkdir()
    (folder / "manifest.json").write_text("{}")
    return ["models", "rollback", "--republish"]


def _damaged_pointer(place):
    Path("models/channels/production.json").write_text("?")
    return ["models", "history"]


def _delete_pointer(_):
    Path("models/channels/production.json").unlink()


def _newest_entry(_):
    newest = max(Path("models/channels/production/history").iterdir())
    return json.loads(newest.read_text())["to"]


def _many_moves(place):
    """A channel with 52 moves."""
    names = [version_of(place, "texts"), version_of(place)]
    for n in range(51):
        assert 0 == place.run("models", "promote", names[n % 2]).code
    return ["models", "history", "--output", "table"]


def _many_records(place):
    record = Path("models/runs/r1")
    for n in range(60):
        shutil.copytree(record, f"models/runs/c{n}")
    return ["runs", "list", "--output", "table"]


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


def _damaged(name):
    """Damage a file of the champion; a run then ends before it compares."""

    def first(place):
        Path(f"models/{version_of(place)}/{name}").write_bytes(b"?")
        more_letters(60).to_parquet("table.parquet")
        return ["run", "--override", "checked", *EMBEDDINGS]

    return first


def _forged(place):
    """A model file that is no model, and whose digest somebody has made to match."""
    forge(place.folder / "models" / version_of(place), "model.safetensors", b"?" * 16)
    return ["predict", "production", "a text"]


def _lineage_of(place):
    return Path(f"models/lineage/{version_of(place)}.npy")


def _damaged_lineage(place):
    _state(place, EMBEDDINGS)
    _lineage_of(place).write_bytes(b"?")
    more_letters(60).to_parquet("table.parquet")
    return ["run"]


def _texts_version(place):
    return version_of(place, "texts")


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


def _moved_after_the_gate(place):
    """A run that was ended before it moved the channel, which somebody has moved since."""
    shutil.copytree("models/channels", "before")
    more_letters(60).to_parquet("table.parquet")
    command = ["run", "--run-id", "r3", *EMBEDDINGS]
    assert 0 == place.run(*command).code
    shutil.rmtree("models/channels")
    shutil.move("before", "models/channels")
    assert 0 == place.run("models", "promote", "texts").code
    return command


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


def _damaged_metadata(place):
    Path(f"models/{version_of(place)}/metadata.json").write_text("?")
    return ["doctor"]


def _store_is_a_file(_):
    Path("file").write_text("")
    return ["run", "--dry-run", "--store", "file", *EMBEDDINGS]


def _long_store(_):
    return ["run", "--dry-run", "--store", "x" * 300, *EMBEDDINGS]


def _mount_own_key(place, command, outputs):
    Path("key.txt").write_text(outputs[0])
    place.set(lineage__key_file="key.txt")
    return command


def _first_run(place):
    place.set(store__uri="new")
    return ["run", *EMBEDDINGS]


MOVED = {"VERSION": _texts_version, "CHANNEL": "production"}
STORES = (
    Case("use another folder with --store (store.uri)", _store_is_a_file, 2, drop=("--store",)),
    Case("use --store DIRECTORY with a folder", _long_store, 2, own={"DIRECTORY": "models"}),
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
        "`pcc-job models list` shows the versions and channels",
        words("run", "--dry-run", *TEXTS, "--set", "gate.anchor=nope"),
        2,
        change=_to_newest,
        then=6,
        later="the gate rejected",
    ),
    Case("`pcc-job models verify {}` says how", _damaged_metadata, 0, ends=8),
    Case(
        "if your move is still right, run again with --expect",
        _expected_elsewhere,
        7,
        take="run again with.*",
    ),
    Case("or run again without --expect", _expected_in_new_channel, 7, drop=("--expect",)),
    Case(
        "`pcc-job models list` shows the versions; ",
        words("models", "rollback", "--channel", "texts"),
        2,
        own={"VERSION": version_of},
    ),
    Case(
        "channels with an anchor: {}",
        words("models", "history", "--anchor", "--channel", "texts"),
        2,
        own={"VERSION": version_of},
    ),
    Case("or run again without --republish", _far_future, 2, drop=("--republish",)),
    Case(
        "delete it, then run",
        _damaged_pointer,
        8,
        by_hand=_delete_pointer,
        own={"VERSION": _newest_entry},
    ),
    Case(": the newest {} moves; --all prints all", _many_moves, 0, take="--all"),
    Case("--all reads and prints all of them", _many_moves, 0, take="--all"),
    Case("--limit N or --all shows more", _many_records, 0, take="--all", name="all"),
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
    *(
        Case(
            "move each channel that points to it to another version",
            _damaged(name),
            8,
            own=MOVED,
            name=name,
        )
        for name in ("manifest.json", "metadata.json", "model.joblib")
    ),
    Case(
        "move each channel that points to it to another version",
        _forged,
        8,
        own=MOVED,
        name="forged",
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
    Case("compare them with `pcc-job models diff {} {}`, then ", _moved_after_the_gate, 7),
    Case(
        "shows the report; `pcc-job run --override REASON`",
        _rejected,
        6,
        own={"REASON": "checked", " --open": ""},
    ),
    Case("--set drift.action=warn", _drifted, 4),
)
