"""Channels and versions on the command line, in a real process with a folder."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from support.versions import listed_names, publish_small
from typer.testing import CliRunner

from job import registry
from job.adapters.stores.directory import DirectoryStore
from job.cli.commands.app import app

AT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path):
    """Two versions, with the channel `production` promoted to each in turn."""
    store = DirectoryStore(tmp_path / "models")
    for n, version in enumerate(publish_small(store, "a", "b")):
        at = datetime(2026, 2, 1, n, tzinfo=UTC)
        for channel in ("production", "staging"):
            registry.promote(
                store, channel, version, registry.ManualMove(at=at, by=f"x{n}", expect=None)
            )
    return store


@pytest.fixture
def models(pcc_job, store):
    def call(*arguments, code=0, **environment):
        done = pcc_job("models", *arguments, "--store", store.uri, **environment)
        assert code == done.returncode, done.stderr
        return json.loads(done.stdout) if code == 0 else done.stderr

    return call


@pytest.mark.parametrize("name", ["CORP\\alice", "a/../../b"])
def test_name_of_the_user_may_hold_anything(models, store, name):
    """The history contains it."""
    models("promote", registry.list_versions(store)[0], LOGNAME=name)

    assert registry.list_history(store, "production")[-1].by.startswith(name)


def test_channel_of_the_settings_is_meant_where_none_is_named(models):
    """`run` promotes to the same channel."""
    assert "staging" == models("rollback", "--set", "publish.channel=staging")["channel"]
    assert "staging" == models("history", "--set", "publish.channel=staging")["channel"]


def test_history_is_a_table_on_demand(pcc_job, store):
    """It has one line per move, the latest last."""
    done = pcc_job("models", "history", "--store", store.uri, "--output", "table")

    title, head, *moves = done.stdout.splitlines()
    assert "channel production" == title
    assert ["at", "from", "to", "by", "why"] == head.split()
    assert ["x0", "x1"] == [line.split()[4] for line in moves]


def test_newest_moves_are_printed_and_all_on_demand(pcc_job, store):
    """The log says how many requests that takes; a short history needs no such line."""
    versions = registry.list_versions(store)
    for n in range(55):
        registry.promote(
            store,
            "production",
            versions[n % 2],
            registry.ManualMove(at=AT, by=f"y{n}", expect=None),
        )
    moves, logs = {}, {}
    for option in ((), ("--all",), ("--channel", "staging")):
        done = pcc_job("models", "history", "--store", store.uri, *option)
        moves[option] = [move["by"] for move in json.loads(done.stdout)["moves"]]
        logs[option] = [json.loads(line) for line in done.stderr.splitlines()]

    assert [f"y{n}" for n in range(5, 55)] == moves[()] == moves[("--all",)][-50:]
    assert [57, 51, 58] == [
        len(moves[("--all",)]),
        *(logs[o][0]["n_requests"] for o in logs if logs[o]),
    ]
    assert "--all" in logs[()][0]["advice"]
    assert [] == logs[("--channel", "staging")]


def test_dry_rollback_prints_the_move_and_writes_nothing(models, tmp_path, store):
    """The version is verified, as before a move."""
    old, new = registry.list_versions(store)
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    found = [models("rollback", "--dry-run", *more) for more in ((), ("--republish",))]

    would = {"channel": "production", "from": new, "to": old, "is_dry_run": True}
    assert [would, would] == found
    assert files == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    (tmp_path / "models" / old / "model.joblib").write_bytes(b"changed")
    assert "model.joblib" in models("rollback", "--dry-run", code=8)
    assert "is_dry_run" not in models("promote", new)


def test_age_is_measured_with_the_clock_of_the_store(store, monkeypatch):
    """The clock of the machine that runs `prune` may be wrong."""
    for version in registry.list_versions(store):
        store.delete(f"{version}/manifest.json")
    arguments = ["models", "prune", "--dry-run", "--store", store.uri]
    now = datetime.now(UTC)
    found = []
    for hours in (23, 25):
        clock = now + timedelta(hours=hours)
        monkeypatch.setattr(DirectoryStore, "read_clock", lambda _, clock=clock: clock)
        done = CliRunner().invoke(app, arguments)
        found.append(len(json.loads(done.stdout)["removed_unfinished"]))

    assert [0, 2] == found


def test_no_channel_at_all_is_refused(models):
    said = models("rollback", "--set", "publish.channel=null", code=2)

    assert "use --channel" in said


@pytest.mark.parametrize("name", ["latest", "v20260101_000000_00000000", "A"])
def test_channel_that_could_not_be_addressed_is_refused(models, name):
    assert "is not a valid channel name" in models("promote", "latest", "--channel", name, code=2)
    assert "channel" in models("list", "--set", f"publish.channel={name}", code=2)


def test_history_of_an_unknown_channel_is_refused(models):
    said = models("history", "--channel", "nosuch", code=2)

    assert "'production', 'staging'" in said


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"to": "../x"}'])
@pytest.mark.parametrize(
    "command", [("history",), ("rollback",), ("prune", "--keep", "1")], ids=lambda c: c[0]
)
def test_damaged_history_is_named(models, tmp_path, content, command):
    """A rollback and a prune read it only if the pointer does not list the champions."""
    path = tmp_path / "models/channels/production/history/000001.json"
    path.write_text(content)
    pointer = tmp_path / "models/channels/production.json"
    if command != ("history",):
        models(*command, "--dry-run")
    pointer.write_text(json.dumps({"version": json.loads(pointer.read_text())["version"]}))

    assert "channels/production/history/000001.json" in models(*command, code=8)


@pytest.mark.parametrize("content", ['{"version": "../../evil"}', '{"move": 1}', ""])
def test_damaged_pointer_is_named(models, tmp_path, content):
    (tmp_path / "models/channels/production.json").write_text(content)

    assert "channels/production.json" in models("promote", "latest", code=8)


def test_anchor_is_set_listed_and_moved(models, store):
    """`--anchor` moves the anchor but not the channel; `--expect` then refers to the anchor."""
    old, new = registry.list_versions(store)
    first = models("promote", old, "--anchor")
    listed = models("list")
    refused = models("promote", new, "--anchor", "--expect", new, code=7)
    second = models("promote", "production", "--anchor", "--expect", old)

    assert {"channel": "production", "anchor_from": None, "anchor_to": old} == first
    assert {"channel": "production", "anchor_from": old, "anchor_to": new} == second
    assert ({"production": old}, {"production": new, "staging": new}) == (
        listed["anchors"],
        listed["channels"],
    )
    assert f"the anchor of channel 'production' points to {old}; expected {new}" in refused


def test_anchor_is_of_the_channel_that_is_named(models, store):
    """It is `publish.channel` if no channel is named."""
    old, new = registry.list_versions(store)
    models("promote", old, "--anchor", "--channel", "staging")
    models("promote", new, "--anchor", "--set", "publish.channel=nightly")

    assert {"nightly": new, "staging": old} == models("list")["anchors"]


def test_moves_of_the_anchor_are_apart_from_those_of_its_channel(models, pcc_job, store):
    """`--anchor` prints the anchor's moves, as JSON and as a table."""
    old, new = registry.list_versions(store)
    for version in (new, old):
        models("promote", version, "--anchor")
    found = models("history", "--anchor")
    table = pcc_job("models", "history", "--anchor", "--store", store.uri, "--output", "table")

    assert ("production", [(None, new), (new, old)]) == (
        found["channel"],
        [(move["from"], move["to"]) for move in found["anchor_moves"]],
    )
    assert 2 == len(models("history")["moves"])
    assert "anchor of channel production" == table.stdout.splitlines()[0]


def test_history_of_an_absent_anchor_is_refused(models):
    said = models("history", "--anchor", code=2)

    assert "channel 'production' has no anchor" in said
    assert "pcc-job models promote VERSION --channel production --anchor" in said


def test_anchor_outlives_a_prune(models, store):
    """No channel needs the version any more."""
    publish_small(store, "a", "b", "c", "d")
    old, _, third, newest = registry.list_versions(store)
    models("promote", old, "--anchor")
    for channel in ("production", "staging"):
        for version in (third, newest):
            models("promote", version, "--channel", channel)
    found = models("prune", "--keep", "1")

    assert [old, third, newest] == found["kept_versions"] == listed_names(models("list"))


@pytest.mark.parametrize("content", ['{"version": "../../evil"}', '{"move": 1}', ""])
@pytest.mark.parametrize(
    "command",
    [("list",), ("promote", "latest", "--anchor"), ("history", "--anchor"), ("prune", "--keep=1")],
    ids=lambda c: c[0],
)
def test_damaged_anchor_is_named_with_what_helps(models, tmp_path, content, command):
    """The anchor's history shows which version it was."""
    models("promote", "latest", "--anchor")
    (tmp_path / "models/channels/production.anchor.json").write_text(content)
    said = models(*command, code=8)

    assert "channels/production.anchor.json is damaged" in said
    assert "pcc-job models promote VERSION --channel production --anchor" in said
    assert "channels/production.anchor/history/" in said


def test_damaged_anchor_is_repaired_as_the_message_says(models, tmp_path):
    """The history continues with the next number."""
    models("promote", "latest", "--anchor")
    (tmp_path / "models/channels/production.anchor.json").unlink()
    models("promote", "latest", "--channel", "production", "--anchor")

    assert [1, 2] == [
        int(path.stem)
        for path in sorted((tmp_path / "models/channels/production.anchor/history").iterdir())
    ]


@pytest.mark.parametrize("uri", ["s3:/bucket/x", "S3://bucket/x", "s3:bucket", "S3:/bucket"])
def test_store_that_only_looks_like_s3_is_no_folder(pcc_job, tmp_path, uri):
    done = pcc_job("models", "list", "--store", uri)

    assert (2, True) == (done.returncode, "s3://bucket/prefix" in done.stderr)
    assert [] == list(tmp_path.iterdir())
