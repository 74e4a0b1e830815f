"""Content that cannot be read is named, and the command exits with 8."""

import pytest

from job.contracts.reports.metadata import PromotionTerms
from job.errors import ExitCode, IntegrityError
from job.registry.parse_file import parse_file


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        (b'{"run_id": "r1", "override": "agreed"}', "override"),
        (b'{"run_id": "r1", "sets_anchor": {"version": "v1"}}', "sets_anchor"),
        (b'{"run_id": 5}', "run_id"),
        (b"not JSON", ""),
    ],
)
def test_key_that_cannot_be_read_is_named(raw, key):
    """A later attempt that finishes a promotion fails with a message, not with a traceback."""
    with pytest.raises(IntegrityError, match=f"cannot read v1/metadata.json: {key}") as caught:
        parse_file(PromotionTerms, "v1/metadata.json", raw)

    assert ExitCode.INTEGRITY == caught.value.exit_code
