"""Requirements that a machine may not meet: skip tests, or fail if PCC_TEST_REQUIRE lists them."""

import os

import pytest


def skip_without(word, reason):
    """Skip the test, or fail it if `word` is required; words are separated by spaces or commas."""
    if word in os.environ.get("PCC_TEST_REQUIRE", "").replace(",", " ").split():
        pytest.fail(f"PCC_TEST_REQUIRE asks for {word}: {reason}")
    pytest.skip(reason)
