"""A run moves the channel from where its gate saw it, and a later attempt from nowhere else."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from support.memory_store import MemoryStore
from support.versions import FILES, name_of, publish_small

from job.contracts.plan import Plan
from job.contracts.specs import JobSettings
from job.contracts.suites import Suite
from job.errors import VersionConflictError
from job.stages.channels import promote, read_channel
from job.stages.history import read_moves
from job.stages.promotion import claim_version, finish_interrupted, promote_accepted
from job.stages.publish import publish

RUN_ID = "night"
AT = datetime(2026, 1, 9, tzinfo=UTC)
OURS = name_of(RUN_ID, 9)
V1, V2 = publish_small(MemoryStore(), "a", "b")


def make_plan(**publish_settings):
    return Plan(
        settings=JobSettings(publish=publish_settings),
        suite=Suite(name="s", expectations=(), parameters={}),
        dataset_uri="t",
        run_id=RUN_ID,
        started_at=AT,
        is_dry_run=False,
        environment={},
    )


@pytest.fixture
def store():
    store = MemoryStore()
    publish_small(store, "a", "b")
    return store


def move(store, version, by="somebody", action="promote"):
    promote(
        store,
        "production",
        version,
        expected=store.get("channels/production.json"),
        at="noon",
        by=by,
        why="",
        action=action,
    )


def see(store):
    """Give the champion as the gate sees it."""
    version, pointer = read_channel(store, "production")
    return None if version is None else SimpleNamespace(version=version, pointer=pointer)


def attempt(store, champion, plan=None):
    """Do what a run does up to its promotion."""
    plan = claim_version(plan or make_plan(), store, {}, champion)
    publish(store, OURS, RUN_ID, FILES)
    return plan


def finish(store):
    finish_interrupted(make_plan(), store, OURS, ())


def champion_of(store):
    return read_channel(store, "production")[0]


@pytest.mark.parametrize("before", [None, V1], ids=["first", "second"])
def test_promotion_that_was_cut_off_is_finished(store, before):
    """The channel is where the gate saw it."""
    if before:
        move(store, before)
    attempt(store, see(store))
    finish(store)

    assert OURS == champion_of(store)


def test_finished_promotion_says_so_in_the_history(store):
    """It is told from one that went through at once."""
    attempt(store, None)
    finish(store)

    assert "finished by a later attempt" in read_moves(store, "production")[-1].why


@pytest.mark.parametrize("rival", [V2, name_of("later", 20)], ids=["older name", "newer name"])
def test_retry_of_a_lost_race_is_a_conflict_again(store, rival):
    """The operator decides, not the scheduler that tries again."""
    publish(store, name_of("later", 20), "later", FILES)
    champion = see(store)
    plan = attempt(store, champion)
    move(store, rival)
    with pytest.raises(VersionConflictError):
        promote_accepted(plan, store, champion, ())

    with pytest.raises(VersionConflictError, match=f"{rival} since {OURS}"):
        finish(store)

    assert rival == champion_of(store)


def test_retry_does_not_overrule_a_rollback(store):
    """The run was ended after its manifest; the operator has moved the channel since."""
    move(store, V1)
    move(store, V2)
    attempt(store, see(store))
    move(store, V1, action="rollback")

    with pytest.raises(VersionConflictError):
        finish(store)

    assert V1 == champion_of(store)


def test_retry_does_not_overrule_a_channel_that_came_back_to_the_same_version(store):
    """It is not the version that counts, but that nobody has moved the channel."""
    move(store, V1)
    attempt(store, see(store))
    move(store, V2)
    move(store, V1, action="rollback")

    with pytest.raises(VersionConflictError):
        finish(store)


def test_attempt_that_was_judged_anew_counts(store):
    """A later attempt has compared its candidate with the champion of its own time."""
    claim_version(make_plan(), store, {}, see(store))
    move(store, V1)
    attempt(store, see(store))
    finish(store)

    assert OURS == champion_of(store)


def test_channel_that_this_run_has_moved_stays_where_it_went(store):
    """Somebody had a reason to take it back, and the run is done."""
    move(store, V1)
    attempt(store, see(store))
    move(store, OURS, by=RUN_ID)
    move(store, V1, action="rollback")
    finish(store)

    assert V1 == champion_of(store)


def test_move_that_was_not_written_down_is(store):
    """A process that was killed between swap and entry leaves no gap."""
    attempt(store, None)
    move(store, OURS, by=RUN_ID)
    store.delete("channels/production/history/000001.json")
    finish(store)

    assert ["channels/production/history/000001.json"] == list(store.keys("channels/production/"))


def test_run_without_a_channel_moves_none(store):
    """publish.channel is null."""
    plan = make_plan(channel=None)
    attempt(store, None, plan)
    promote_accepted(plan, store, None, ())
    finish_interrupted(plan, store, OURS, ())

    assert [] == list(store.keys("channels/"))
