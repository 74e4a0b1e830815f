"""Hints about versions, channels and the folder of a store."""

import json
import shutil
from pathlib import Path

from support.forged_versions import forge
from support.hint_cases.commands import words
from support.hint_cases.places import EMBEDDINGS, TEXTS, more_letters, version_of
from support.obeying import Case


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


def _damaged(name):
    """Damage a file of the champion; a run then ends before it compares."""

    def first(place):
        Path(f"models/{version_of(place)}/{name}").write_bytes(b"?")
        more_letters(60).to_parquet("table.parquet")
        return ["run", "--override", "checked", *EMBEDDINGS]

    return first


def _forged(place):
    """A file that is not a model, in a manifest that was changed to have its digest."""
    forge(place.folder / "models" / version_of(place), "model.safetensors", b"?" * 16)
    return ["predict", "production", "a text"]


def _texts_version(place):
    return version_of(place, "texts")


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


def _damaged_metadata(place):
    Path(f"models/{version_of(place)}/metadata.json").write_text("?")
    return ["doctor"]


def _store_is_a_file(_):
    Path("file").write_text("")
    return ["run", "--dry-run", "--store", "file", *EMBEDDINGS]


def _long_store(_):
    return ["run", "--dry-run", "--store", "x" * 300, *EMBEDDINGS]


MOVED = {"VERSION": _texts_version, "CHANNEL": "production"}
STORES = (
    Case("use another folder with --store (store.uri)", _store_is_a_file, 2, drop=("--store",)),
    Case("use --store DIRECTORY with a folder", _long_store, 2, own={"DIRECTORY": "models"}),
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
        take=".*",
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
        "--limit N or --all shows more",
        _many_records,
        0,
        take="--limit N",
        own={"N": "60"},
        name="limit",
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
    Case("compare them with `pcc-job models diff {} {}`, then ", _moved_after_the_gate, 7),
)
