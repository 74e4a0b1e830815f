"""What the schema of the values refuses, and where it comes from."""

import json
from copy import deepcopy

import pytest
from chart_support import CHART, EVERYTHING, MINIMAL, load, refusal, template, with_value

from job.contracts.specs import JobSettings
from job.settings import known_keys
from scripts.generate_chart import values_schema

# whatever stands below these is a name of the user's, or Kubernetes' own
MAPS = (
    *("global", "commonLabels", "commonAnnotations", "podLabels", "podAnnotations"),
    *("nodeSelector", "affinity", "serviceAccount.annotations", "prometheusRule.labels"),
    *("resources.requests", "resources.limits", "doctor.resources.requests"),
    *("doctor.resources.limits", "dataset.volume", "expectations.suites", "extraVolumes.0"),
    "extraEnv.1.valueFrom",
    "networkPolicy.egress.0.to.1.podSelector.matchLabels",
    *("config.dataset.aliases", "config.expectations.parameters", "config.search.estimators"),
    "config.store.tags",
)
SCHEMA = json.loads((CHART / "values.schema.json").read_text())


def whole_values():
    """Give a value for every key there is, the settings' defaults among them."""
    values = load(EVERYTHING)
    settings = JobSettings().model_dump(mode="json")
    for section, given in values["config"].items():
        settings[section] |= given
    return values | {"config": settings}


def paths(node, prefix=()):
    """List every key as a path, through lists too."""
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for name, child in items:
        path = (*prefix, str(name))
        if isinstance(node, dict):
            yield path
        if isinstance(child, (dict, list)) and ".".join(path) not in MAPS:
            yield from paths(child, path)


def chart_keys():
    """List the keys of values.yaml, without those inside lists and resources."""
    found = {".".join(path) for path in paths(load(CHART / "values.yaml"))}
    return {key for key in found if "resources." not in key and ".dns." not in key}


def misspell(values, path):
    """Double the last letter of one key; give the values, and the key as it is now."""
    changed = deepcopy(values)
    branch = changed
    for name in path[:-1]:
        branch = branch[int(name) if isinstance(branch, list) else name]
    wrong = path[-1] + path[-1][-1]
    assert wrong not in branch
    branch[wrong] = branch.pop(path[-1])
    return changed, wrong


def schema_objects(node, where="values"):
    """List every level of the schema that describes an object."""
    if isinstance(node, dict):
        if node.get("type") == "object" or "properties" in node:
            yield where, node
        for name, child in node.items():
            yield from schema_objects(child, f"{where}.{name}")
    elif isinstance(node, list):
        for number, child in enumerate(node):
            yield from schema_objects(child, f"{where}.{number}")


def test_whole_values_are_accepted():
    """What is misspelt below is right before it is misspelt."""
    done = template(whole_values())

    assert (0, "") == (done.returncode, done.stderr)


def test_whole_values_hold_every_key_of_the_chart_and_of_the_settings():
    """No key escapes the test below."""
    found = {".".join(path) for path in paths(whole_values())}
    expected = {".".join(path) for path in paths(load(CHART / "values.yaml"))}
    expected = {path for path in expected if ".dns.0" not in path}
    expected |= {f"config.{key}" for key in known_keys()}

    assert set() == expected - found


@pytest.mark.parametrize("path", list(paths(whole_values())), ids=".".join)
def test_misspelt_key_is_refused_and_named(path):
    """helm refuses before anything is installed, and says which key it does not know."""
    values, wrong = misspell(whole_values(), path)

    assert f"'{wrong}' not allowed" in refusal(values)


@pytest.mark.parametrize("path", ["podLabel", "job.ttl", "config.search.fold", "image.name"])
def test_added_key_is_refused_and_named(path):
    """A key beside those there are is refused too."""
    assert f"'{path.split('.')[-1]}' not allowed" in refusal(with_value(MINIMAL, path, 1))


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
        ("config.search.folds", 1),
        ("config.search.folds", "3"),
        ("config.gate.margin", 1.5),
        ("config.search.metric", "f1"),
    ],
)
def test_impossible_value_is_refused_at_its_place(path, value):
    """What the API server or the job would refuse later is refused here, by its path."""
    assert f"at '/{path.replace('.', '/')}" in refusal(with_value(MINIMAL, path, value))


NULLABLE = {
    "job.activeDeadlineSeconds",
    "job.ttlSecondsAfterFinished",
    *(
        f"podSecurityContext.{key}"
        for key in ("runAsUser", "runAsGroup", "fsGroup", "fsGroupChangePolicy")
    ),
}


@pytest.mark.parametrize("path", sorted(chart_keys() - NULLABLE))
def test_null_is_missed_where_it_means_nothing(path):
    """To Helm null takes the chart's own value away, so a limit would become 0 without a word."""
    assert f"missing property '{path.split('.')[-1]}'" in refusal(with_value(MINIMAL, path, None))


@pytest.mark.parametrize("path", sorted(NULLABLE))
def test_null_is_accepted_where_it_means_something(path):
    """Unset, or chosen by the platform."""
    assert 0 == template(with_value(MINIMAL, path, None)).returncode


def test_suite_whose_name_is_no_file_name_is_refused():
    """The name becomes part of an annotation's key and of a path."""
    assert "invalid propertyName 'a/b'" in refusal(
        with_value(MINIMAL, "expectations.suites", {"a/b": {}})
    )


def test_every_level_is_closed_or_a_map_of_the_user():
    """A level that is open by oversight would swallow a misspelt key."""
    maps = {
        "values.properties.global",
        "values.properties.affinity",
        "values.properties.dataset.properties.volume",
        "values.properties.expectations.properties.suites",
        "values.properties.expectations.properties.suites.additionalProperties",
        "values.properties.extraEnv.items.properties.valueFrom",
        "values.properties.extraVolumes.items",
        "values.$defs.TextMap",
        "values.$defs.QuantityMap",
        "values.$defs.DatasetSpec.properties.aliases",
        "values.$defs.ExpectationsSpec.properties.parameters",
        "values.$defs.SearchSpec.properties.estimators",
        "values.$defs.SearchSpec.properties.estimators.additionalProperties",
        "values.$defs.StoreSpec.properties.tags",
    }
    found = {
        where
        for where, level in schema_objects(SCHEMA)
        if level.get("additionalProperties") is not False
    }

    assert maps == found


def test_config_has_the_schema_that_the_job_prints():
    """`pcc-job config schema` and the chart say the same of every setting."""
    printed = JobSettings.model_json_schema()
    definitions = printed.pop("$defs")

    assert printed == SCHEMA["properties"]["config"]
    assert definitions == {name: SCHEMA["$defs"][name] for name in definitions}


def test_schema_is_what_the_generator_writes():
    """values.schema.json is not edited by hand."""
    assert values_schema() == (CHART / "values.schema.json").read_text()


def test_schema_and_values_know_the_same_keys():
    """A key without a value has no description; a value without a schema could be anything."""

    def keys(schema, prefix=""):
        for name, child in schema["properties"].items():
            yield f"{prefix}{name}"
            if "properties" in child and name != "config":
                yield from keys(child, f"{prefix}{name}.")

    assert chart_keys() == set(keys(SCHEMA)) - {"global"}
