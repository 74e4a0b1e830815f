"""The metadata of invented versions."""

from job.contracts.reports.metadata import Metadata
from job.contracts.settings.job_settings import JobSettings

VERSION = "v20260101_000000_aaaaaaaa"
FILE_DIGEST = f"sha256:{'1' * 64}"
CONTENT_DIGEST = f"sha256:{'0' * 64}"


def make_metadata(**changes):
    """Return the metadata of a version; `changes` are keys of metadata.json."""
    return Metadata.model_validate({**make_content(), **changes})


def make_content():
    """Return the content of metadata.json, as JSON."""
    return {
        "model_version": VERSION,
        "embedding_model": "all-MiniLM-L6-v2",
        "classifier": "logistic_regression",
        "trained_on": {
            "n_train": 4,
            "data_version": FILE_DIGEST,
            "trained_at": "2026-01-01T00:00:00+00:00",
        },
        "run_id": "r1",
        "data_digest": CONTENT_DIGEST,
        "settings_digest": f"sha256:{'2' * 64}",
        "dataset": {
            "uri": "t.csv",
            "format": "csv",
            "n_rows": 5,
            "n_bytes": 100,
            "modified_at": "2026-01-01T00:00:00+00:00",
            "file_digest": FILE_DIGEST,
            "content_digest": CONTENT_DIGEST,
            "description": "made up, <b>all</b> of it",
            "metadata": {},
            "sidecar": {},
            "n_other_notes": 0,
            "ignored_columns": [],
            "absent_columns": [],
        },
        "split": {
            "method": "hash",
            "key": "text",
            "n_train": 4,
            "n_test": 1,
            "n_train_keys": 4,
            "n_test_keys": 1,
            "n_dropped_leaking": 0,
            "n_dropped_rare_class": 0,
            "n_rare_classes": 0,
            "n_conflicting_texts": 0,
            "n_conflicting_rows": 0,
            "test_only_classes": [],
            "n_test_only_rows": 0,
            "classes": {},
            "near_duplicates": {
                "found_by": "text",
                "n_exact_duplicates": 0,
                "n_near_duplicates": 0,
                "n_groups": 0,
                "largest": [],
                "n_near_official_test": 0,
            },
        },
        "settings": JobSettings().model_dump(mode="json"),
        "hyperparameters": {"C": 10},
        "metrics": {"f1_macro": 0.9},
        "classes": ["even", "odd"],
        "input": {"kind": "embeddings", "names": [], "dtypes": ["float32"], "shape": [None, 384]},
        "random_state": 42,
        "environment": {
            "python": "3.13.1",
            "platform": "Linux x86_64",
            "packages": {"numpy": "2.4"},
            "git_revision": "a" * 40,
            "cpu": "Haswell",
        },
    }
