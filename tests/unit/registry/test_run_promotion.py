"""A run moves the channel only from the champion that its gate has seen."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from support.memory_store import MemoryStore
from support.versions import FILES, name_of, publish_small

from job.contracts.plan import Plan
from job.contracts.reports.comparison import Comparison
from job.contracts.reports.gate import Criterion, GateDecision
from job.contracts.reports.intervals import Interval
from job.contracts.reports.metadata import AnchorRequest, PromotionTerms
from job.contracts.settings.job_settings import JobSettings
from job.contracts.suites import Suite
from job.errors import VersionConflictError
from job.registry.anchors import read_anchor, set_anchor
from job.registry.channels import MoveReason, move_channel, read_channel
from job.registry.history import read_moves
from job.registry.publish import publish
from job.registry.run_promotion import (
    choose_anchor,
    claim_version,
    finish_interrupted,
    promote_accepted,
    propose_claim,
)

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


PROPOSED = propose_claim(make_plan(), {}, "a" * 16)


@pytest.fixture
def store():
    store = MemoryStore()
    publish_small(store, "a", "b")
    return store


def move(store, version, by="somebody", action="promote"):
    move_channel(
        store,
        "production",
        version,
        expected=store.get("channels/production.json"),
        reason=MoveReason(at="noon", by=by, why="", action=action),
    )


def see(store):
    """Return the champion as the gate sees it."""
    version, pointer = read_channel(store, "production")
    return None if version is None else SimpleNamespace(version=version, pointer=pointer)


def attempt(store, champion, plan=None):
    """Do everything that a run does up to its promotion."""
    claimed = claim_version(plan or make_plan(), store, PROPOSED, champion)
    publish(store, OURS, RUN_ID, FILES)
    return claimed


def finish(store):
    finish_interrupted(make_plan(), store, OURS, (), at=AT)


def champion_of(store):
    return read_channel(store, "production")[0]


def test_later_attempt_takes_the_first_claim(store):
    """All attempts of a run publish one version, whenever they start."""
    first = claim_version(make_plan(), store, PROPOSED, None)
    later = replace(make_plan(), started_at=datetime(2026, 1, 10, tzinfo=UTC))

    assert first == claim_version(later, store, propose_claim(later, {}, "a" * 16), None)
    assert (OURS, AT) == (first.version, first.started_at)


@pytest.mark.parametrize("before", [None, V1], ids=["first", "second"])
def test_promotion_that_was_cut_off_is_finished(store, before):
    """The channel still points to the champion that the gate has seen."""
    if before:
        move(store, before)
    attempt(store, see(store))
    finish(store)

    assert OURS == champion_of(store)


def test_finished_promotion_is_marked_in_the_history(store):
    """It differs from one that was not interrupted."""
    attempt(store, None)
    finish(store)

    assert "finished by a later attempt" in read_moves(store, "production")[-1].why


@pytest.mark.parametrize("rival", [V2, name_of("later", 20)], ids=["older name", "newer name"])
def test_retry_of_a_lost_race_is_a_conflict_again(store, rival):
    """The operator decides, not the scheduler's retry."""
    publish(store, name_of("later", 20), "later", FILES)
    champion = see(store)
    claimed = attempt(store, champion)
    move(store, rival)
    with pytest.raises(VersionConflictError):
        promote_accepted(make_plan(), claimed, store, champion, (), at=AT)

    with pytest.raises(VersionConflictError, match=f"{rival} after the gate had judged {OURS}"):
        finish(store)

    assert rival == champion_of(store)


def test_retry_does_not_overrule_a_rollback(store):
    """The run was killed after its manifest, and the operator has moved the channel since."""
    move(store, V1)
    move(store, V2)
    attempt(store, see(store))
    move(store, V1, action="rollback")

    with pytest.raises(VersionConflictError):
        finish(store)

    assert V1 == champion_of(store)


def test_retry_does_not_overrule_a_channel_that_came_back_to_the_same_version(store):
    """An equal version is not enough: the channel must not have been moved."""
    move(store, V1)
    attempt(store, see(store))
    move(store, V2)
    move(store, V1, action="rollback")

    with pytest.raises(VersionConflictError):
        finish(store)


def test_attempt_that_was_judged_anew_counts(store):
    """A later attempt has compared its candidate with the present champion."""
    claim_version(make_plan(), store, PROPOSED, see(store))
    move(store, V1)
    attempt(store, see(store))
    finish(store)

    assert OURS == champion_of(store)


def test_channel_that_this_run_has_moved_is_not_moved_again(store):
    """Somebody has moved it back on purpose, and the run has ended."""
    move(store, V1)
    attempt(store, see(store))
    move(store, OURS, by=RUN_ID)
    move(store, V1, action="rollback")
    finish(store)

    assert V1 == champion_of(store)


def test_missing_history_entry_is_written(store):
    """If a process is killed between swap and entry, the history has no gap."""
    attempt(store, None)
    move(store, OURS, by=RUN_ID)
    store.delete("channels/production/history/000001.json")
    finish(store)

    assert ["channels/production/history/000001.json"] == list(store.keys("channels/production/"))


def test_run_without_a_channel_moves_none(store):
    """publish.channel is null."""
    plan = make_plan(channel=None)
    claimed = attempt(store, None, plan)
    promote_accepted(plan, claimed, store, None, (), at=AT)
    finish_interrupted(plan, store, OURS, (), at=AT)

    assert [] == list(store.keys("channels/"))


def decided(*, rests_on_default=False, anchor=None):
    """Return a decision of the gate; `anchor` is its comparison with the channel's anchor."""
    champion = Criterion(
        name="champion",
        value=0.0,
        threshold=-0.05,
        is_met=True,
        is_binding=True,
        reason="",
        rule="default" if rests_on_default else "margin",
    )
    return GateDecision(criteria=(champion,), comparisons=() if anchor is None else (anchor,))


def anchor_beside(problem=""):
    difference = None if problem else Interval(value=0.0, lower=-0.1, upper=0.1)
    return Comparison(
        role="anchor",
        version=V1,
        metric="f1_macro",
        difference=difference,
        problem=problem,
        is_advisory=True,
    )


def publish_with(store, asked):
    """Publish the run's version, whose metadata say which anchor its promotion sets."""
    metadata = PromotionTerms(run_id=RUN_ID, sets_anchor=asked)
    publish(store, OURS, RUN_ID, {**FILES, "metadata.json": metadata.to_bytes()})


def promote_ours(store, champion, asked, **options):
    claimed = claim_version(make_plan(), store, PROPOSED, champion)
    publish_with(store, asked)
    promote_accepted(make_plan(), claimed, store, champion, (), at=AT, **options)


def anchor_of(store):
    return read_anchor(store, "production")[0]


def override(plan, reason="agreed"):
    return replace(plan, override=reason)


def test_first_promotion_by_default_makes_its_champion_the_anchor(store):
    """Later candidates are compared with the last version that passed by evidence."""
    move(store, V1)
    champion = see(store)
    asked = choose_anchor(make_plan(), OURS, decided(rests_on_default=True), champion)
    promote_ours(store, champion, asked)

    assert (OURS, V1) == (champion_of(store), anchor_of(store))


def test_promotion_by_margin_sets_no_anchor(store):
    """The margin was shown; a first version has no champion to become the anchor."""
    move(store, V1)

    assert choose_anchor(make_plan(), OURS, decided(), see(store)) is None
    assert choose_anchor(make_plan(), OURS, decided(rests_on_default=True), None) is None


def test_anchor_that_is_there_stays(store):
    """Otherwise every run would move it, and a slow decline would not be noticed."""
    move(store, V2)
    again = decided(rests_on_default=True, anchor=anchor_beside())

    assert choose_anchor(make_plan(), OURS, again, see(store)) is None
    set_anchor(
        store, "production", V1, expected=None, reason=MoveReason(at="noon", by="somebody", why="")
    )
    promote_ours(store, see(store), AnchorRequest(version=V2, replaces=None))
    assert V1 == anchor_of(store)


def test_override_replaces_an_incomparable_anchor(store):
    """An anchor that cannot be compared is replaced, even if the gate accepts the candidate."""
    move(store, V2)
    set_anchor(
        store, "production", V1, expected=None, reason=MoveReason(at="noon", by="somebody", why="")
    )
    champion = see(store)
    decision = decided(anchor=anchor_beside("its classes differ"))
    asked = choose_anchor(override(make_plan()), OURS, decision, champion)
    promote_ours(store, champion, asked, override="agreed")

    assert OURS == anchor_of(store)


def test_without_override_an_incomparable_anchor_stays(store):
    """It causes warnings until somebody overrides the gate."""
    move(store, V2)
    decision = decided(rests_on_default=True, anchor=anchor_beside("its version was removed"))

    assert choose_anchor(make_plan(), OURS, decision, see(store)) is None


def test_override_keeps_an_anchor_that_could_be_compared(store):
    """One override does not discard the reference version."""
    move(store, V2)
    compared = decided(anchor=anchor_beside())

    assert choose_anchor(override(make_plan()), OURS, compared, see(store)) is None


def test_lost_race_sets_no_anchor(store):
    """The version was not promoted."""
    move(store, V1)
    champion = see(store)
    claimed = claim_version(make_plan(), store, PROPOSED, champion)
    publish_with(store, AnchorRequest(version=V1, replaces=None))
    move(store, V2)
    with pytest.raises(VersionConflictError):
        promote_accepted(make_plan(), claimed, store, champion, (), at=AT)

    assert anchor_of(store) is None


def test_anchor_that_somebody_has_moved_meanwhile_stays(store):
    """The channel has moved nevertheless."""
    move(store, V2)
    set_anchor(
        store, "production", V2, expected=None, reason=MoveReason(at="noon", by="somebody", why="")
    )
    promote_ours(store, see(store), AnchorRequest(version=OURS, replaces=V1), override="agreed")

    assert (OURS, V2) == (champion_of(store), anchor_of(store))


@pytest.mark.parametrize("has_moved", [False, True])
def test_later_attempt_sets_the_anchor_too(store, has_moved):
    """The first attempt was killed before; its decision is in the metadata."""
    move(store, V1)
    claim_version(make_plan(), store, PROPOSED, see(store))
    publish_with(store, AnchorRequest(version=V1, replaces=None))
    if has_moved:
        move(store, OURS, by=RUN_ID)
    finish(store)

    assert (OURS, V1) == (champion_of(store), anchor_of(store))


def test_history_has_the_moment_of_the_move(store):
    """A run starts long before it moves the channel."""
    claimed = claim_version(make_plan(), store, propose_claim(make_plan(), {}, "k"), None)
    publish(store, claimed.version, "night", FILES)
    at = AT + timedelta(hours=3)
    promote_accepted(make_plan(), claimed, store, None, (), at=at)

    assert [at.isoformat()] == [move.at for move in read_moves(store, "production")]
