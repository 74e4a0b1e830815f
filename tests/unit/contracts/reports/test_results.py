"""The results of commands keep their form on stdout."""

from job.contracts.reports.results import RunDataset, RunResult

VERSION = "v20260101_000000_aaaaaaaa"
FILE_DIGEST, CONTENT_DIGEST = "sha256:" + "f" * 64, "sha256:" + "c" * 64
DATASET = RunDataset(uri="a.csv", n_rows=3, file_digest=FILE_DIGEST, content_digest=CONTENT_DIGEST)


def make_result(**more):
    return RunResult(
        run_id="r1",
        outcome="published",
        version=VERSION,
        store_uri="memory:",
        scores={"accuracy": 1.0},
        dataset=DATASET,
        stages={"split": 0.5},
        duration_seconds=2.0,
        **more,
    )


def test_result_names_the_dataset_by_uri_and_digests():
    """Provenance in full stays in the record."""
    assert {
        "run_id": "r1",
        "outcome": "published",
        "version": VERSION,
        "store_uri": "memory:",
        "scores": {"accuracy": 1.0},
        "dataset": {
            "uri": "a.csv",
            "n_rows": 3,
            "file_digest": FILE_DIGEST,
            "content_digest": CONTENT_DIGEST,
        },
        "stages": {"split": 0.5},
        "duration_seconds": 2.0,
        "channel": None,
        "score": None,
        "champion": None,
        "weakest_class": None,
        "unmet_criteria": [],
        "report_uri": None,
        "next_command": None,
    } == make_result().to_json()


def test_reason_of_an_override_is_part_of_the_result():
    """It is absent if the gate was not overridden."""
    assert "agreed" == make_result(override="agreed").to_json()["override"]
