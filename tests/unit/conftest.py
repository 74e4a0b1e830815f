"""What holds for each unit test."""

import pytest
import structlog


@pytest.fixture(autouse=True)
def logs_as_before():
    """A command that runs in this process configures the logs; the next test must not notice."""
    yield
    structlog.reset_defaults()
