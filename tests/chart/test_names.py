"""Names, labels and the image."""

import json

import pytest
from support.chart import (
    MINIMAL,
    container_of,
    pods,
    render,
    variables,
    volumes,
)


@pytest.mark.parametrize(
    "release", ["123", "1e5", "true", "r" * 53, "a" * 36 + "-pcc-training-job"]
)
def test_names_stay_text_of_bounded_length(release):
    """A CronJob's name has at most 52 characters, and a release may be called 123."""
    objects = render(MINIMAL, release=release[:53])
    name = objects["CronJob"]["metadata"]["name"]

    assert isinstance(name, str) and len(name) <= 52 and not name.endswith("-")
    assert release[:53] == objects["CronJob"]["metadata"]["labels"]["app.kubernetes.io/instance"]
    assert (
        name
        == objects["ServiceAccount"]["metadata"]["name"]
        == pods(objects)["run"]["spec"]["serviceAccountName"]
    )


def test_names_of_the_user_stay_text():
    """YAML would read these names as numbers or booleans."""
    values = MINIMAL | {
        "fullnameOverride": "123",
        "priorityClassName": "1e3",
        "credentials": {"existingSecret": "0", "accessKeyIdKey": "1", "secretAccessKeyKey": "true"},
        "dataset": {"existingClaim": "77"},
        "image": {"repository": "0"},
    }
    objects = render(values)
    pod = pods(objects)["run"]
    claim = volumes(pod)["dataset"]["persistentVolumeClaim"]["claimName"]
    refs = [item.get("valueFrom", {}).get("secretKeyRef") for item in variables(pod).values()]

    assert ("123", "1e3", "77") == (
        objects["CronJob"]["metadata"]["name"],
        pod["spec"]["priorityClassName"],
        claim,
    )
    assert [{"name": "0", "key": "1"}, {"name": "0", "key": "true"}] == [ref for ref in refs if ref]


def test_own_labels_and_annotations_cannot_be_replaced():
    """The network policy selects pods by the labels, and the annotations contain the settings."""
    values = MINIMAL | {
        "podLabels": {"app.kubernetes.io/instance": "other", "a": "b"},
        "commonLabels": {"app.kubernetes.io/name": "other"},
        "podAnnotations": {"pcc-training-job/config.yaml": "{}", "c": "d"},
    }
    objects = render(values)
    metadata = pods(objects)["run"]["metadata"]
    selector = objects["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"]

    assert selector == {k: metadata["labels"][k] for k in selector}
    assert ("b", "d") == (metadata["labels"]["a"], metadata["annotations"]["c"])
    assert MINIMAL["config"] == json.loads(metadata["annotations"]["pcc-training-job/config.yaml"])


def test_digest_wins_over_tag():
    """A tag in addition to a digest would have no effect."""
    digest = f"sha256:{'a' * 64}"
    values = MINIMAL | {"image": {"repository": "r.example.com/job", "tag": "2", "digest": digest}}

    assert f"r.example.com/job@{digest}" == container_of(pods(render(values))["run"])["image"]


def test_tag_is_the_version_of_the_job_by_default():
    """The chart is released together with the job."""
    from job import __version__

    assert f"pcc-training-job:{__version__}" == container_of(pods(render(MINIMAL))["run"])["image"]


def test_account_that_is_not_made_is_used_by_name():
    """A service account that is not created is used by its name; the default is the namespace's."""
    named, unnamed = (
        pods(render(MINIMAL | {"serviceAccount": {"create": False, "name": name}}))["run"]["spec"]
        for name in ("mine", "")
    )

    assert ("mine", "default") == (named["serviceAccountName"], unnamed["serviceAccountName"])


def test_account_outlives_an_upgrade_that_names_another():
    """A retry of a running run still needs the account, which Helm would delete."""
    annotations = {"eks.amazonaws.com/role-arn": "arn"}
    values = MINIMAL | {"serviceAccount": {"annotations": annotations}}
    found = render(values)["ServiceAccount"]["metadata"]["annotations"]

    assert annotations | {"helm.sh/resource-policy": "keep"} == found


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"networkPolicy": {"enabled": False}}, "NetworkPolicy"),
        ({"serviceAccount": {"create": False}}, "ServiceAccount"),
        ({"prometheusRule": {"enabled": False}}, "PrometheusRule"),
    ],
)
def test_object_that_is_off_is_not_there(values, kind):
    """A value of false is respected."""
    assert kind not in render(MINIMAL | values)
