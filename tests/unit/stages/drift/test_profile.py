"""A version's profile is verified when it is read; an older version may have none."""

import numpy as np
import pytest
from support.memory_store import MemoryStore
from support.versions import FILES, name_of, publish_small

from job.contracts.reports.profile import Profile, Values, Words
from job.errors import IntegrityError
from job.registry.publish import publish
from job.stages.drift import TableProfile, load_profile

WORDS = Words(n_rows=9, n_words=2, salt="s", is_masked=True, unseen_share=0.25, standard_error=0.01)
PROFILE = Profile(
    n_rows=9,
    n_groups=7,
    parts={
        "classes": Values(
            shares={"a": 1.0},
            standard_errors={"a": 0.0},
            other=0.0,
            missing=0.0,
            expected_index=0.0,
            degrees_of_freedom=0.0,
        )
    },
    words=WORDS,
    embedding_model="m",
    embeddings=None,
)


def test_published_profile_is_read_back():
    store, name = MemoryStore(), name_of("r", 1)
    profile = TableProfile(profile=PROFILE, vocabulary=np.array([1, 2**63], np.uint64))
    publish(store, name, "r", {**FILES, **profile.files()})
    loaded = load_profile(store, name)

    assert loaded.profile == PROFILE
    assert [1, 2**63] == loaded.vocabulary.tolist()


def test_version_of_an_older_release_has_none():
    store = MemoryStore()
    [name] = publish_small(store, "r")

    assert load_profile(store, name) is None


def test_damaged_profile_is_noticed():
    store, name = MemoryStore(), name_of("r", 1)
    profile = TableProfile(profile=PROFILE, vocabulary=np.array([1], np.uint64))
    publish(store, name, "r", {**FILES, **profile.files()})
    raw = store.get(f"{name}/profile.json")
    store.delete(f"{name}/profile.json")
    store.put_if_absent(f"{name}/profile.json", raw.replace(b"9", b"8"))

    with pytest.raises(IntegrityError, match=r"profile\.json"):
        load_profile(store, name)


@pytest.mark.parametrize(
    "changed",
    [
        {"profile.json": PROFILE.model_dump_json().replace('"other"', '"others"').encode()},
        {"profile.json": b"{}"},
        {"vocabulary.npy": b"of another release"},
    ],
    ids=["another part", "nothing", "another vocabulary"],
)
def test_profile_of_another_release_is_none(changed):
    store, name = MemoryStore(), name_of("r", 1)
    profile = TableProfile(profile=PROFILE, vocabulary=np.array([1], np.uint64))
    publish(store, name, "r", {**FILES, **profile.files(), **changed})

    assert load_profile(store, name) is None
