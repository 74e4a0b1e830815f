"""A digest can only be computed with the key."""

import hashlib

import numpy as np
from support.lineage import KEY, OTHER_KEY

from job.stages.lineage.keyed_digests import keyed_digests


def test_digest_is_keyed_blake2b():
    expected = hashlib.blake2b(b"text", key=KEY.secret, digest_size=8, person=b"row").digest()

    assert keyed_digests("row", ["text"], KEY).tolist() == [int.from_bytes(expected, "little")]


def test_digests_depend_on_key_purpose_and_string():
    digests = [
        keyed_digests("row", ["a"], KEY),
        keyed_digests("row", ["a"], OTHER_KEY),
        keyed_digests("word", ["a"], KEY),
        keyed_digests("row", ["b"], KEY),
    ]

    assert len(np.unique(np.concatenate(digests))) == 4


def test_order_is_that_of_the_strings():
    both = keyed_digests("row", ["a", "b"], KEY)

    assert both.tolist() == [keyed_digests("row", [s], KEY)[0] for s in "ab"]
    assert keyed_digests("row", [], KEY).dtype == np.uint64


def test_lone_surrogates_have_a_digest():
    """A text may contain them, if the file was written carelessly."""
    assert len(keyed_digests("row", ["\ud800"], KEY)) == 1
