"""What a machine may lack: tests of it are skipped, or fail where PCC_TEST_REQUIRE asks for it."""

import os

import pytest


def skip_without(word, reason):
    """Skip the test, or fail it; the required words stand between spaces or commas."""
    if word in os.environ.get("PCC_TEST_REQUIRE", "").replace(",", " ").split():
        pytest.fail(f"PCC_TEST_REQUIRE asks for {word}: {reason}")
    pytest.skip(reason)
