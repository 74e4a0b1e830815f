"""Channels and anchors are moved and rolled back by hand."""

from datetime import UTC, datetime

import pytest
from support.memory_store import MemoryStore
from support.versions import name_of, publish_small

from job import registry
from job.contracts.identity import canonical_json
from job.contracts.store_keys import ProbeStep
from job.errors import ConfigurationError, IntegrityError, VersionConflictError
from job.registry.read_manifest import copied_from

POINTER = "channels/production.json"
NOW = datetime(2026, 2, 1, 12, 30, 15, tzinfo=UTC)
V1, V2, V3 = publish_small(MemoryStore(), "a", "b", "c")
AHEAD = name_of("fast clock", 1).replace("v2026", "v2027")


class Store(MemoryStore):
    """It has three versions, and the channel has pointed to each."""

    abilities = ()
    tokens = ()

    def probe(self, token):
        self.tokens = (*self.tokens, token)
        return self.abilities


def make_store(**options):
    store = Store(**options)
    publish_small(store, "a", "b", "c")
    return store


def promote(store, version, *, expect=None, by="alice"):
    return registry.promote(
        store, "production", version, registry.ManualMove(at=NOW, by=by, expect=expect)
    ).to_json()


def promote_anchor(store, version, *, expect=None):
    result = registry.promote_anchor(
        store, "production", version, registry.ManualMove(at=NOW, by="bob", expect=expect)
    )
    return result.to_json()


def roll_back(store, *, by="alice", is_republished=False, at=NOW):
    return registry.roll_back(store, "production", at=at, by=by, is_republished=is_republished).to


@pytest.fixture
def store():
    store = make_store()
    for version in (V1, V2, V3):
        promote(store, version)
    return store


def newest(store):
    """Return the version that today's PCC loads."""
    return max(key.partition("/")[0] for key in store.keys("v"))


def champion(store):
    return registry.list_channels(store)["production"]


def test_promotion_says_from_where_to_where(store):
    assert {"channel": "production", "from": V3, "to": V1} == promote(store, V1)


def test_promotion_from_another_version_than_expected_is_a_conflict(store):
    with pytest.raises(VersionConflictError, match=f"{V3}; expected {V2}"):
        promote(store, V1, expect=V2)


def test_damaged_version_is_not_promoted(store):
    store.objects[f"{V1}/model.joblib"] = b"changed"
    with pytest.raises(IntegrityError):
        promote(store, V1)

    assert V3 == champion(store)


@pytest.mark.parametrize("by", ["CORP\\alice", "a/../../b", "a//b", "alice\n"])
def test_name_of_a_user_may_hold_anything(store, by):
    """The name is in the history, never in a key."""
    promote(store, V1, by=by)

    assert by == registry.list_history(store, "production")[-1].by
    assert all(token.isalnum() for token in store.tokens)


def test_anchor_is_set_and_moved_without_its_channel(store):
    """The result has other keys than that of a channel."""
    results = [promote_anchor(store, version) for version in (V1, V2)]

    assert [
        {"channel": "production", "anchor_from": None, "anchor_to": V1},
        {"channel": "production", "anchor_from": V1, "anchor_to": V2},
    ] == results
    assert (V2, V3) == (registry.list_anchors(store)["production"], champion(store))


def test_expected_version_of_an_anchor_is_not_that_of_its_channel(store):
    """`--expect` is about the pointer that is moved."""
    promote_anchor(store, V1)

    with pytest.raises(VersionConflictError, match=f"the anchor .* {V1}; expected {V3}"):
        promote_anchor(store, V2, expect=V3)
    assert V2 == promote_anchor(store, V2, expect=V1)["anchor_to"]


def test_expected_version_of_an_anchor_that_was_never_set_is_a_conflict(store):
    """The message does not print None."""
    words = f"the anchor .* points to no version; expected {V1}"
    with pytest.raises(VersionConflictError, match=words) as caught:
        promote_anchor(store, V2, expect=V1)

    assert "run again without --expect" in str(caught.value.hint)


def test_anchor_that_a_run_has_set_meanwhile_is_a_conflict():
    """It is an error, unless the anchor is already at the wanted version."""
    pointer = canonical_json({"version": V1, "run_id": "run"})
    store = make_store(
        before_swap=lambda store: store.objects.update({"channels/production.anchor.json": pointer})
    )

    with pytest.raises(VersionConflictError, match=f"{V1}; expected {V2}"):
        promote_anchor(store, V2)
    store.delete("channels/production.anchor.json")
    assert V1 == promote_anchor(store, V1)["anchor_to"]


def test_damaged_version_is_no_anchor(store):
    store.objects[f"{V1}/model.joblib"] = b"changed"
    with pytest.raises(IntegrityError):
        promote_anchor(store, V1)

    assert {} == registry.list_anchors(store)


def test_store_that_ignores_conditions_gets_no_anchor(store):
    """Two concurrent operators would both seem to succeed."""
    store.abilities = (ProbeStep(name="swaps", is_met=False, answer="200"),)

    with pytest.raises(ConfigurationError, match="does not enforce conditional writes"):
        promote_anchor(store, V1)


def test_rollbacks_go_further_back(store):
    assert [V2, V1] == [roll_back(store), roll_back(store)]


def test_channel_without_an_earlier_version_cannot_go_back():
    store = make_store()
    promote(store, V1)

    with pytest.raises(ConfigurationError, match="no earlier version"):
        roll_back(store)


def test_rollback_of_an_unknown_channel_says_so():
    """The hint must not be to create a channel because of a typing error."""
    with pytest.raises(ConfigurationError, match="channel 'production' does not exist"):
        roll_back(make_store())


def test_rollback_passes_over_what_was_pruned(store):
    for key in list(store.keys(f"{V2}/")):
        store.delete(key)

    assert V1 == roll_back(store)


def test_republished_copy_is_named_by_the_moment(store):
    """Its name sorts like those of runs."""
    assert "v20260201_123015_" == roll_back(store, is_republished=True)[:17]


def test_republished_copy_is_the_newest_folder(store):
    copy = roll_back(store, is_republished=True)

    assert (copy, copy) == (newest(store), champion(store))


@pytest.mark.parametrize("name", ["manifest.json", "model.joblib"], ids=["complete", "unfinished"])
def test_copy_is_newest_even_if_a_clock_was_ahead(store, name):
    """Today's PCC loads the folder with the greatest name, complete or not."""
    store.objects[f"{AHEAD}/{name}"] = b"{}"

    assert roll_back(store, is_republished=True) == newest(store)


def test_copy_is_newest_in_the_second_of_another_version(store):
    """Its name is greater, whatever the hash at its end."""
    store.objects["v20260201_123015_ffffffff/model.joblib"] = b""

    assert "v20260201_123016_" == roll_back(store, is_republished=True)[:17]


def test_folder_without_a_time_in_its_name_is_a_configuration_error(store):
    store.objects["v99999999_999999_ffffffff/model.joblib"] = b""

    with pytest.raises(ConfigurationError, match="v99999999"):
        roll_back(store, is_republished=True)


def test_copy_has_the_bytes_of_its_origin(store):
    copy = roll_back(store, is_republished=True)
    original, copied = (registry.read_verified(store, version) for version in (V2, copy))

    assert original["model.joblib"] == copied["model.joblib"]


def test_history_tells_the_copy_from_its_origin(store):
    copy = roll_back(store, is_republished=True)
    move = registry.list_history(store, "production")[-1]

    assert (copy, V2, "rollback") == (move.to, move.copy_of, move.action)


@pytest.mark.parametrize("is_republished", [False, True])
def test_rollback_after_a_republished_one_goes_further_back(store, is_republished):
    """It does not return to the version that was rolled back."""
    roll_back(store, is_republished=True)
    target = roll_back(store, is_republished=is_republished, by="bob")

    assert V1 == (copied_from(store, target) if is_republished else target)


def test_store_that_ignores_conditions_gets_no_copy(store):
    """Otherwise today's PCC would load the copy, though the rollback has failed."""
    store.abilities = (ProbeStep(name="swaps", is_met=False, answer="200"),)
    before = newest(store)
    with pytest.raises(ConfigurationError, match="does not enforce conditional writes"):
        roll_back(store, is_republished=True)

    assert before == newest(store)


def moved_by_another(store):
    store.objects[POINTER] = canonical_json({"version": V1, "run_id": "bob", "move": 9})


def test_copy_of_a_rollback_that_lost_its_race_is_taken_back():
    """Today's PCC loads the winner's newest version again."""
    begun = []
    store = make_store(before_swap=lambda store: begun and moved_by_another(store))
    for version in (V1, V2, V3):
        promote(store, version)
    begun.append(True)
    with pytest.raises(VersionConflictError):
        roll_back(store, is_republished=True)

    assert V3 == newest(store)


def test_copy_of_a_lost_rollback_that_is_an_anchor_stays():
    """Somebody has made it an anchor before it could be removed."""
    begun = []

    def moved_and_anchored(store):
        if begun:
            moved_by_another(store)
            content = canonical_json({"version": newest(store)})
            store.objects.setdefault("channels/production.anchor.json", content)

    store = make_store(before_swap=moved_and_anchored)
    for version in (V1, V2, V3):
        promote(store, version)
    begun.append(True)
    with pytest.raises(VersionConflictError):
        roll_back(store, is_republished=True)

    assert [newest(store)] == list(registry.list_anchors(store).values())
    assert V3 != newest(store)


def test_copy_left_by_a_killed_rollback_is_taken_as_it_is(store):
    """A retry publishes no second copy."""
    from job.registry.rollback import _republish

    copy = _republish(store, V2, at=NOW, by="killed")

    assert copy == roll_back(store, is_republished=True)


def test_version_that_is_the_newest_anyway_is_not_copied(store):
    promote(store, V1)

    assert V3 == roll_back(store, is_republished=True)


def manual(**values):
    return registry.ManualMove(at=NOW, by="alice", **values)


def test_reason_of_a_person_is_in_the_history(store):
    """It follows what was done."""
    registry.promote(store, "production", V1, manual(reason="agreed with Ada"))
    registry.promote_anchor(store, "production", V1, manual(reason="fixed for a year"))

    assert "promoted by hand: agreed with Ada" == registry.list_history(store, "production")[-1].why
    assert (
        "set by hand: fixed for a year" == registry.list_anchor_history(store, "production")[-1].why
    )


def test_reason_of_a_rollback_is_in_the_history(store):
    """It follows the version."""
    registry.promote(store, "production", V1, manual())
    registry.roll_back(
        store, "production", at=NOW, by="bob", is_republished=False, reason="too many errors"
    )

    why = registry.list_history(store, "production")[-1].why
    assert why.startswith("rolled back to ")
    assert why.endswith(": too many errors")


@pytest.mark.parametrize("move", [registry.promote, registry.promote_anchor])
def test_dry_run_verifies_and_writes_nothing(store, move):
    """The result says that nothing has moved."""
    before = dict(store.objects)
    result = move(store, "production", V1, manual(is_dry_run=True)).to_json()

    assert before == store.objects
    assert result["is_dry_run"]


def test_dry_run_refuses_what_a_move_refuses(store):
    """For example, a channel that is not where the caller expects it."""
    with pytest.raises(VersionConflictError):
        registry.promote(store, "production", V1, manual(expect=V2, is_dry_run=True))
