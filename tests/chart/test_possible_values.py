"""Single values that the schema must reject, and values that it must accept."""

import pytest
from support.chart import MINIMAL, refusal, template, with_value


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("resources.limits", {"nvidia.com/gpu": 1, "hugepages-2Mi": "4Mi"}),
        ("extraVolumes", [{"name": "x", "nfs": {"server": "s", "path": "/"}}]),
        ("networkPolicy.dns", [{"ipBlock": {"cidr": "fd00::/8", "except": ["fd00:1::/32"]}}]),
        ("networkPolicy.dns", [{"ipBlock": {"cidr": "::/0"}}]),
        ("networkPolicy.dns", [{"ipBlock": {"cidr": "0.0.0.0/0"}}]),
        ("cronJob.schedule", "@every 1h30m"),
        ("cronJob.schedule", "*/15 0-6,22 ? JAN-MAR MON"),
        ("prometheusRule.runbookUrl", "https://wiki.example.com/a?b=c&d#e"),
    ],
)
def test_possible_value_is_accepted(path, value):
    """A pattern must not reject values that the API server accepts."""
    assert 0 == template(with_value(MINIMAL, path, value)).returncode


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("job.backoffLimit", -1),
        ("job.backoffLimit", "3"),
        ("job.activeDeadlineSeconds", 0),
        ("cronJob.startingDeadlineSeconds", 9),
        ("cronJob.schedule", "TZ=UTC 0 2 * * 0"),
        ("cronJob.schedule", "0 2 * *"),
        ("cronJob.timeZone", "Local"),
        ("cronJob.timeZone", ""),
        ("cronJob.concurrencyPolicy", "forbid"),
        ("cronJob.suspend", "false"),
        ("image.digest", "sha256:abc"),
        ("image.pullPolicy", "always"),
        ("podSecurityContext.runAsUser", 0),
        ("fullnameOverride", "a" * 53),
        ("fullnameOverride", "Upper"),
        ("podLabels", {"a": True}),
        ("resources.limits", {"memory": "2 Gi"}),
        ("tmp.sizeLimit", "2GB"),
        ("networkPolicy.dns", []),
        ("networkPolicy.egress", [{"ports": []}]),
        ("networkPolicy.egress", [{"to": [], "ports": [1]}]),
        ("networkPolicy.egress", [{"to": [{}], "ports": [1]}]),
        ("networkPolicy.egress", [{"ports": [65536]}]),
        ("networkPolicy.dns", [{"ipBlock": {"cidr": "999.1.1.1/99"}}]),
        ("networkPolicy.dns", [{"ipBlock": {"cidr": "10.0.0.0/33"}}]),
        ("networkPolicy.dns", [{"ipBlock": {"cidr": "10.0.0/8"}}]),
        ("networkPolicy.dns", [{"ipBlock": {"cidr": "fd00::/129"}}]),
        ("cronJob.schedule", "@evry 5m"),
        ("cronJob.schedule", "@daily 5m"),
        ("cronJob.schedule", "@every"),
        ("job.backoffLimit", 9999999999),
        ("job.activeDeadlineSeconds", 9999999999),
        ("podSecurityContext.runAsUser", 9999999999),
        ("extraEnv", [{"name": "A"}]),
        ("extraEnv", [{"name": "A", "value": "a", "valueFrom": {"fieldRef": {"fieldPath": "b"}}}]),
        ("extraEnv", [{"name": "A", "valueFrom": {}}]),
        ("extraEnvFrom", [{"prefix": "A"}]),
        ("extraEnvFrom", [{"secretRef": {"name": "a"}, "configMapRef": {"name": "b"}}]),
        ("dataset.volume", {"csi": {"driver": "a"}, "emptyDir": {}}),
        ("extraVolumes", [{"name": "x", "csi": {"driver": "a"}, "emptyDir": {}}]),
        ("prometheusRule.runbookUrl", "https://a.example/{{ $labels.x }}"),
        ("prometheusRule.noSuccess.severity", "{{ x"),
        ("lineage.secretKey", ""),
        ("lineage.existingSecret", "Upper"),
        ("config.search.folds", 1),
        ("config.search.folds", "3"),
        ("config.gate.margin", 1.5),
        ("config.search.metric", "f1"),
    ],
)
def test_impossible_value_is_refused_at_its_place(path, value):
    """Values that the API server or the job would reject later are rejected with their path."""
    assert f"at '/{path.replace('.', '/')}" in refusal(with_value(MINIMAL, path, value))


def test_unknown_estimator_is_refused_and_named():
    """The names are the job's; the job checks each estimator's parameters."""
    values = with_value(MINIMAL, "config.search", {"estimators": {"logistic_regresion": {}}})

    assert "invalid propertyName 'logistic_regresion'" in refusal(values)


def test_suite_whose_name_is_no_file_name_is_refused():
    """The name becomes part of an annotation's key and of a path."""
    assert "invalid propertyName 'a/b'" in refusal(
        with_value(MINIMAL, "expectations.suites", {"a/b": {}})
    )
