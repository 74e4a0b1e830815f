"""Values that the schema allows individually, but that contradict each other."""

import pytest
from support.chart import MINIMAL, refusal, render, with_value


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"config.store": {}}, "config.store.uri is not set"),
        (
            {"config.store.uri": "/models"},
            "config.store.uri is '/models', but no volume is mounted there",
        ),
        (
            {"config.store.uri": "./models", "store.existingClaim": "c"},
            "config.store.uri is './models'",
        ),
        ({"config.store.uri": "/tmp/models"}, "config.store.uri is '/tmp/models'"),
        (
            {"config.store.uri": "/models2", "store.existingClaim": "c"},
            "config.store.uri is '/models2'",
        ),
        ({"config.dataset": {}}, "config.dataset.uri is '/data/curated_training_data.parquet'"),
        (
            {"config.dataset.test_uri": "/data/test.csv"},
            "config.dataset.test_uri is '/data/test.csv'",
        ),
        (
            {"config.evaluation.challenge_uri": "/data/challenge.csv"},
            "config.evaluation.challenge_uri is '/data/challenge.csv'",
        ),
        (
            {"config.evaluation.out_of_scope_uri": "/data/none.csv"},
            "config.evaluation.out_of_scope_uri is '/data/none.csv'",
        ),
        ({"config.store.uri": "s3://key:secret@models/pcc"}, "credential in an address"),
        ({"config.s3": {"endpoint_url": "https://key@s3.example.com"}}, "credential in an address"),
        (
            {"config.s3": {"endpoint_url": "10.0.0.1:9000"}},
            "config.s3.endpoint_url is '10.0.0.1:9000': expected http:// or https://",
        ),
        ({"config.s3": {"endpoint_url": "http://[::1:9000"}}, "config.s3.endpoint_url is"),
        (
            {"config.expectations.parameters": {"a": ["b" * 9] * 21_000}},
            "config, expectations.suites and podAnnotations come to",
        ),
        ({"podAnnotations": {"a": "b" * 260_000}}, "podAnnotations come to 260"),
        (
            {"extraEnv": [{"name": "TMPDIR_LIMIT_BYTES", "value": "1"}]},
            "TMPDIR_LIMIT_BYTES is duplicate, or is set by the chart",
        ),
        ({"dataset": {"existingClaim": "c", "volume": {"emptyDir": {}}}}, "both mounted at /data"),
        ({"caBundle": {"existingConfigMap": "a", "existingSecret": "b"}}, "set only one"),
        (
            {"expectations": {"suites": {"a": {}}, "existingConfigMap": "b"}},
            "both mounted at /suites",
        ),
        ({"expectations.suites": {"a": {}}}, "config.expectations.suite does not name a suite"),
        (
            {"expectations.existingConfigMap": "a"},
            "config.expectations.suite does not name a suite",
        ),
        (
            {"expectations.suites": {"a": {}}, "config.expectations.suite": "/suites/b.json"},
            "expectations.suites has only: a",
        ),
        (
            {"config.expectations.suite": "/suites/b.json"},
            "config.expectations.suite is '/suites/b.json'",
        ),
        (
            {"extraEnv": [{"name": "JOB_UID", "value": "x"}]},
            "JOB_UID is duplicate, or is set by the chart",
        ),
        ({"extraEnv": [{"name": "A", "value": "a"}] * 2}, "A is duplicate"),
        (
            {"lineage.existingSecret": "a", "config.lineage": {"key_file": "/mnt/keys"}},
            "lineage.existingSecret and config.lineage.key_file are both set",
        ),
        (
            {
                "lineage.existingSecret": "a",
                "extraEnv": [{"name": "PCC_JOB_LINEAGE_KEY", "value": "b"}],
            },
            "lineage.existingSecret and PCC_JOB_LINEAGE_KEY in extraEnv are both set",
        ),
        (
            {
                "lineage.existingSecret": "a",
                "extraEnv": [{"name": "PCC_JOB_LINEAGE__KEY_FILE", "value": "/b"}],
            },
            "PCC_JOB_LINEAGE__KEY_FILE is duplicate, or is set by the chart",
        ),
        (
            {"prometheusRule": {"enabled": True}, "cronJob.failedJobsHistoryLimit": 1},
            "the alert could never fire",
        ),
    ],
)
def test_contradiction_is_refused_with_its_reason(changes, reason):
    """Values that would lose a model, leak a secret or never work are rejected beforehand."""
    values = MINIMAL
    for path, value in changes.items():
        values = with_value(values, path, value)

    assert reason in refusal(values)


@pytest.mark.parametrize(
    "changes",
    [
        {"config.store.uri": "/models", "store.existingClaim": "c"},
        {"config.store.uri": "file:///models/pcc", "store.existingClaim": "c"},
        {"config.dataset": {}, "dataset.existingClaim": "c"},
        {"config.store.uri": "/mnt/a", "extraVolumeMounts": [{"name": "x", "mountPath": "/mnt/"}]},
        {"config.expectations.suite": "/suites/a.json", "expectations.existingConfigMap": "a"},
        {"config.s3": {"endpoint_url": "http://minio:9000/a@b"}},
        {"config.s3": {"endpoint_url": "https://[fd00::1]:9000"}},
        {"config.expectations.parameters": {"a": "b" * 250_000}},
        {"config.lineage": {"key_file": "/mnt/keys"}},
    ],
)
def test_what_only_looks_like_one_is_accepted(changes):
    """A check must not reject working values."""
    values = MINIMAL
    for path, value in changes.items():
        values = with_value(values, path, value)

    assert "CronJob" in render(values)
