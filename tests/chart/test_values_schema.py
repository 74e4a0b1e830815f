"""What the schema of the values rejects, and which sources it is generated from."""

import json
from copy import deepcopy

import jsonschema
import pytest
from support.chart import CHART, EVERYTHING, MINIMAL, load, refusal, template, with_value

from job.contracts.settings.job_settings import JobSettings
from job.settings import known_keys
from job.settings.schema import settings_schema
from scripts.generate_chart import values_schema

# whatever stands right below these is a name of the user's
MAPS = (
    *("global", "commonLabels", "commonAnnotations", "podLabels", "podAnnotations"),
    *("nodeSelector", "serviceAccount.annotations", "prometheusRule.labels"),
    *("expectations.suites", "expectations.suites.mine.meta"),
    *(f"expectations.suites.mine.expectations.0.{key}" for key in ("kwargs", "meta")),
    *(
        "dataset.volume.csi.volumeAttributes",
        *(
            f"extraVolumes.1.ephemeral.volumeClaimTemplate.{key}"
            for key in ("metadata.labels", "spec.resources.requests")
        ),
    ),
    "networkPolicy.egress.0.to.1.podSelector.matchLabels",
    *("config.dataset.aliases", "config.expectations.parameters"),
    "config.search.estimators.logistic_regression",
    "config.store.tags",
)
SCHEMA = json.loads((CHART / "values.schema.json").read_text())


def whole_values():
    """Return a value for every existing key, including the settings' defaults."""
    values = load(EVERYTHING)
    settings = JobSettings().model_dump(mode="json")
    for section, given in values["config"].items():
        settings[section] |= given
    return values | {"config": settings}


def paths(node, prefix=()):
    """List every key as a path, through lists and below names that the user chooses."""
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for name, child in items:
        path = (*prefix, str(name))
        if isinstance(node, dict) and ".".join(prefix) not in MAPS:
            yield path
        if isinstance(child, (dict, list)):
            yield from paths(child, path)


def chart_keys():
    """List the keys of values.yaml, without those inside lists and resources."""
    found = {".".join(path) for path in paths(load(CHART / "values.yaml"))}
    return {key for key in found if "resources." not in key and ".dns." not in key}


MISSPELLINGS = {
    "doubled": lambda key: key + key[-1],
    "cut": lambda key: key[:-1],
    "swapped": lambda key: key[:-2] + key[-1] + key[-2],
    "other case": lambda key: key[0].swapcase() + key[1:],
    "joined": lambda key: f"{key[:2]}_{key[2:]}",
}


def misspell(values, path, way="doubled"):
    """Misspell one key; return the values and the misspelled key."""
    changed = deepcopy(values)
    branch = changed
    for name in path[:-1]:
        branch = branch[int(name) if isinstance(branch, list) else name]
    wrong = MISSPELLINGS[way](path[-1])
    assert wrong not in branch or wrong == path[-1]
    branch[wrong] = branch.pop(path[-1])
    return changed, wrong


def schema_objects(node, where="values"):
    """List every level of the schema that describes an object."""
    if isinstance(node, dict):
        if "object" in node.get("type", ()) or "properties" in node:
            yield where, node
        for name, child in node.items():
            yield from schema_objects(child, f"{where}.{name}")
    elif isinstance(node, list):
        for number, child in enumerate(node):
            yield from schema_objects(child, f"{where}.{number}")


def test_whole_values_are_accepted():
    """The values that are misspelled below are valid before."""
    done = template(whole_values())

    assert (0, "") == (done.returncode, done.stderr)


def test_whole_values_hold_every_key_of_the_chart_and_of_the_settings():
    """The test below covers every key."""
    found = {".".join(path) for path in paths(whole_values())}
    expected = {".".join(path) for path in paths(load(CHART / "values.yaml"))}
    expected = {path for path in expected if ".dns.0" not in path}
    expected |= {f"config.{key}" for key in known_keys()}

    assert set() == expected - found


@pytest.mark.parametrize("path", list(paths(whole_values())), ids=".".join)
def test_misspelt_key_is_refused_and_named(path):
    """helm rejects it before the installation, and names the unknown key."""
    values, wrong = misspell(whole_values(), path)

    reason = refusal(values)

    assert f"'{wrong}' not allowed" in reason or f"invalid propertyName '{wrong}'" in reason


@pytest.mark.parametrize("way", MISSPELLINGS)
def test_no_key_is_known_misspelt(way):
    """The same for every key and other slips, by a validator: helm would take too long."""
    check = jsonschema.Draft7Validator(SCHEMA).is_valid
    values = whole_values()
    assert check(values)
    accepted = []
    for path in paths(values):
        changed, wrong = misspell(values, path, way)
        if wrong not in ("", path[-1]) and check(changed):
            accepted.append(".".join(path))

    assert [] == accepted


@pytest.mark.parametrize(
    ("path", "value", "wrong"),
    [
        ("extraVolumes", [{"name": "x", "confgMap": {"name": "y"}}], "confgMap"),
        ("extraVolumes", [{"name": "x", "configMap": {"nam": "y"}}], "nam"),
        ("dataset.volume", {"persistentVolumClaim": {"claimName": "x"}}, "persistentVolumClaim"),
        ("dataset.volume", {"name": "hello", "emptyDir": {}}, "name"),
        ("affinity", {"nodeAffinty": {}}, "nodeAffinty"),
        ("resources.limits", {"memmory": "1Gi"}, "memmory"),
        ("extraEnv", [{"name": "A", "valueFrom": {"secretKeyReff": {}}}], "secretKeyReff"),
        ("expectations.suites", {"a": {"expectatons": []}}, "expectatons"),
        ("expectations.suites", {"a": {"expectations": [{"typ": "x"}]}}, "typ"),
    ],
)
def test_misspelt_key_of_a_foreign_form_is_refused_and_named(path, value, wrong):
    """Keys of Kubernetes and Great Expectations are checked as strictly as the chart's own."""
    assert f"'{wrong}' not allowed" in refusal(with_value(MINIMAL, path, value))


@pytest.mark.parametrize("path", ["podLabel", "job.ttl", "config.search.fold", "image.name"])
def test_added_key_is_refused_and_named(path):
    """An additional key is rejected as well."""
    assert f"'{path.split('.')[-1]}' not allowed" in refusal(with_value(MINIMAL, path, 1))


MAPS_OF_KUBERNETES = (
    "CSIVolumeSource.properties.volumeAttributes",
    "FieldsV1",
    "FlexVolumeSource.properties.options",
    "LabelSelector.properties.matchLabels",
    "ObjectMeta.properties.annotations",
    "ObjectMeta.properties.labels",
    "PodCertificateProjection.properties.userAnnotations",
    "VolumeResourceRequirements.properties.limits",
    "VolumeResourceRequirements.properties.requests",
)
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
    """In Helm, null removes the chart's own value, so a limit would silently become 0."""
    assert f"missing property '{path.split('.')[-1]}'" in refusal(with_value(MINIMAL, path, None))


@pytest.mark.parametrize("path", sorted(NULLABLE))
def test_null_is_accepted_where_it_means_something(path):
    """null means unset, or chosen by the platform."""
    assert 0 == template(with_value(MINIMAL, path, None)).returncode


def test_every_level_is_closed_or_a_map_of_the_user():
    """A level that is open by mistake would accept a misspelled key."""
    maps = {
        "values.properties.global",
        "values.properties.expectations.properties.suites",
        "values.properties.extraVolumes.items",
        "values.$defs.TextMap",
        "values.$defs.Suite.properties.meta",
        *(
            f"values.$defs.Suite.properties.expectations.items.properties.{key}"
            for key in ("kwargs", "meta")
        ),
        *(f"values.$defs.Kubernetes.{name}" for name in MAPS_OF_KUBERNETES),
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
    """`pcc-job config schema` and the chart describe every setting in the same way."""
    printed = settings_schema()
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
