"""A version's profile is verified when it is read; another release may have another format."""

import numpy as np
import pytest
from support.lineage import KEY, describe, lineage_files
from support.memory_store import MemoryStore
from support.versions import FILES, name_of

from job.contracts.reports.metadata import PublishedLineage
from job.contracts.reports.profile import Profile, Values, Words
from job.errors import IntegrityError
from job.registry.publish import publish
from job.stages.drift import TableProfile, load_profile
from job.stages.lineage.lineage_file import Lineage

WORDS = Words(n_rows=9, n_words=2, unseen_share=0.25, standard_error=0.01)
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


NAME = name_of("r", 1)
WHOLE = TableProfile(profile=PROFILE, vocabulary=np.array([1, 2**63], np.uint64), key=KEY)


def publish_profile(raw):
    """Publish a version with these bytes of a profile; return its store and its lineage."""
    store = MemoryStore()
    none = np.array([], np.uint64)
    rows = np.zeros(0, [(n, "u8") for n in ("digest", "content", "is_test", "n_rows", "group")])
    lineage = Lineage(key_id=KEY.id, rows=rows, texts=none, words=WHOLE.vocabulary).to_bytes()
    publish(store, NAME, "r", FILES, lineage=lineage_files(lineage, raw))
    return store, PublishedLineage.model_validate(describe(lineage, raw))


def test_stored_profile_is_read_back():
    store, lineage = publish_profile(WHOLE.to_bytes())
    loaded = load_profile(store, NAME, lineage, KEY)

    assert loaded.profile == PROFILE
    assert [1, 2**63] == loaded.vocabulary.tolist()


@pytest.mark.parametrize("suffix", [".npy", ".profile.json"])
def test_removed_profile_is_none(suffix):
    store, lineage = publish_profile(WHOLE.to_bytes())
    store.delete(f"lineage/{NAME}{suffix}")

    assert load_profile(store, NAME, lineage, KEY) is None


def test_damaged_profile_is_noticed():
    store, lineage = publish_profile(WHOLE.to_bytes())
    key = f"lineage/{NAME}.profile.json"
    raw = store.get(key)
    store.delete(key)
    store.put_if_absent(key, raw.replace(b"9", b"8"))

    with pytest.raises(IntegrityError, match=r"profile\.json"):
        load_profile(store, NAME, lineage, KEY)


@pytest.mark.parametrize(
    "raw",
    [PROFILE.model_dump_json().replace('"other"', '"others"').encode(), b"{}"],
    ids=["another part", "nothing"],
)
def test_profile_of_another_release_is_none(raw):
    store, lineage = publish_profile(raw)

    assert load_profile(store, NAME, lineage, KEY) is None
