"""Runs whose table differs by a few groups from that of a version that consumers can read."""

import json
import shutil
from functools import partial

import pandas as pd
import pytest
from support.small_runs import CLASSES, SmallRuns, list_events, write_letters

TABLE = write_letters()
NEW = write_letters(12, seed=1)
OTHER_CLASS = dict(zip(CLASSES, CLASSES[1:] + CLASSES[:1], strict=True))


def add(n_rows, table=TABLE):
    """Return the table with this number of new letters."""
    return pd.concat([table, NEW.head(n_rows)], ignore_index=True)


def relabel(n_rows):
    """Return the table with other classes in its first rows."""
    table = TABLE.copy()
    table.loc[: n_rows - 1, "intent"] = table["intent"].map(OTHER_CLASS)
    return table


def repeat_first_letter():
    """Return the table with its first letter once more: the text, the class and the numbers."""
    return pd.concat([TABLE, TABLE.head(1)], ignore_index=True)


def embed_anew():
    """Return the table with other embeddings of the same texts."""
    return TABLE.assign(embeddings=write_letters(seed=2)["embeddings"])


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A store with one version, made from `TABLE`."""
    runs = SmallRuns(tmp_path_factory.mktemp("first"))
    return runs, runs.publish(TABLE)["version"]


@pytest.fixture
def night(first, tmp_path):
    """Runs on a copy of that store."""
    shutil.copytree(first[0].store, tmp_path / "models")
    return SmallRuns(tmp_path)


@pytest.mark.parametrize(
    ("make_table", "n_changed"),
    [
        (partial(add, 1), 1),
        (partial(add, 4), 4),
        (partial(TABLE.drop, index=100), 1),
        (repeat_first_letter, 1),
        (partial(relabel, 1), 1),
    ],
    ids=["one more", "four more", "one less", "an old text again", "another class"],
)
def test_table_with_a_few_changed_groups_is_held_back(first, night, make_table, n_changed):
    """The run ends without an error before the search, and stores its record only."""
    before = night.list_files()
    done = night.run(make_table(), "--run-id", "second")
    result, events, record = json.loads(done.stdout), list_events(done), night.read_record("second")
    groups = "1 group" if n_changed == 1 else f"{n_changed} groups"
    reason = (
        f"{groups} changed since the table of {first[1]}, minimum 5 (publish.min_changed_groups)"
    )

    assert 0 == done.returncode, done.stderr
    assert ("held_back", None, {}) == tuple(result[k] for k in ("outcome", "version", "scores"))
    assert reason == result["reason"] == record["reason"] == events["held_back"]["reason"]
    assert ("held_back", 0, None) == tuple(
        record[k] for k in ("outcome", "exit_code", "failed_stage")
    )
    assert "warning" == events["held_back"]["level"]
    assert "--override REASON" in events["held_back"]["advice"]
    assert not {"search", "train"} & set(result["stages"])
    assert {*before, "runs/second/1.json"} == set(night.list_files())


@pytest.mark.parametrize(
    ("make_table", "sets"),
    [
        (partial(add, 5), ()),
        (partial(relabel, 5), ()),
        (TABLE.copy, ("random_state=1", "split.test_fraction=0.25")),
        (partial(TABLE.sample, frac=1, random_state=0), ()),
        (embed_anew, ()),
        (partial(add, 1), ("publish.min_changed_groups=0",)),
    ],
    ids=["five more", "five classes", "settings", "another order", "embeddings", "no minimum"],
)
def test_table_with_none_or_enough_changed_groups_is_published(night, make_table, sets):
    """Other settings and embeddings tell of no one."""
    result = night.publish(make_table(), sets=sets)

    assert "reason" not in result
    assert result["version"] == night.read_json("channels/production.json")["version"]


def test_version_that_was_rolled_back_counts_as_long_as_it_can_be_read(first, night):
    """Its table plus one group is held back, although the champion's table differs by six."""
    second = night.publish(add(5))["version"]
    rolled_back = night.command("models", "rollback", "--store", night.store)
    third = night.run(add(6), "--run-id", "third")
    again = night.run(TABLE, "--run-id", "again")

    assert 0 == rolled_back.returncode, rolled_back.stderr
    assert first[1] == json.loads(rolled_back.stdout)["to"]
    assert f"1 group changed since the table of {second}" in json.loads(third.stdout)["reason"]
    assert "published" == json.loads(again.stdout)["outcome"], again.stderr


def test_retry_of_a_claimed_version_is_not_held_back(night):
    """Its name may be known; a run that has published its version completely is finished."""
    name = ("--run-id", "claimed")
    claimed = night.publish(add(5), *name)["version"]
    done = night.run(add(5), *name)
    (night.store / claimed / "manifest.json").unlink()
    shutil.rmtree(night.store / "channels")
    night.publish(add(6))
    retry = night.publish(add(5), *name)

    assert "already_published" == json.loads(done.stdout)["outcome"], done.stderr
    # the champion is another one, so the files are, and they get the next name of the run
    assert claimed[:14] == retry["version"][:14]
    assert claimed[-8:] == retry["version"][-8:]


def test_dry_run_says_that_it_would_be_held_back(first, night):
    """It goes on, so that its report can be read."""
    before = night.list_files()
    done = night.run(add(1), "--dry-run", "--run-id", "dry")
    result, event = json.loads(done.stdout), list_events(done)["would_be_held_back"]

    assert (0, "dry_run") == (done.returncode, result["outcome"]), done.stderr
    assert f"1 group changed since the table of {first[1]}" in result["reason"]
    assert (result["reason"], "warning") == (event["reason"], event["level"])
    assert result["reason"] == night.read_record("dry")["reason"]
    assert all(name.startswith("runs/dry/") for name in set(night.list_files()) - {*before})


def test_override_publishes_and_the_version_says_so(first, night):
    """Metadata, card, report, result and history have the operator's reason and the number."""
    result = night.publish(add(1), "--override", "the board decided")
    version = result["version"]
    metadata = night.read_json(f"{version}/metadata.json")
    move = night.read_json("channels/production/history/000002.json")
    reason = f"1 group changed since the table of {first[1]}, minimum 5"
    gate = night.read_json(f"{version}/evaluation.json")["gate"]
    (criterion,) = [c for c in gate["criteria"] if not c["is_met"]]

    assert "the board decided" == result["override"] == metadata["override"]["reason"]
    assert [reason] == [text.partition(" (")[0] for text in metadata["override"]["rejected_for"]]
    assert ("changed_groups", 1, 5) == tuple(criterion[k] for k in ("name", "value", "threshold"))
    assert "the board decided" in move["why"]
    for name in ("model_card.md", "report.html"):
        text = " ".join((night.store / version / name).read_text().split())
        assert "the board decided" in text
        assert "1 group changed since the table of" in text.replace("<wbr>", "")


def test_override_of_enough_changes_is_none(night):
    """The option is not recorded if nothing was overridden."""
    result = night.publish(add(5), "--override", "to be sure")

    assert "override" not in result
    assert night.read_json(f"{result['version']}/metadata.json")["override"] is None


def test_rows_of_an_official_test_table_count(night, tmp_path):
    """A version is made from both tables."""
    tables = {name: tmp_path / f"{name}.parquet" for name in ("test", "larger")}
    write_letters(60, seed=3).to_parquet(tables["test"])
    add(1, write_letters(60, seed=3)).to_parquet(tables["larger"])
    done = {
        name: night.run(TABLE, "--run-id", name, sets=(f"dataset.test_uri={path}",))
        for name, path in tables.items()
    }
    first, second = (json.loads(run.stdout) for run in done.values())

    assert "published" == first["outcome"], done["test"].stderr
    assert f"1 group changed since the table of {first['version']}" in second["reason"]


def test_changed_letter_of_a_known_customer_counts(night):
    """Key and class of the row stay the same, but not its text."""
    columns = ("dataset.columns.group=customer", "gate.incomparable_champion=warn")
    before = add(11).assign(customer=[f"c{row // 2}" for row in range(len(TABLE) + 11)])
    after = before.copy()
    after.loc[7, "text"] = NEW["text"].iloc[-1]
    night.publish(before, sets=columns)
    done = night.run(after, sets=columns)

    assert "1 group changed" in json.loads(done.stdout).get("reason", ""), done.stdout
