"""Run helm as a user would, and look up parts of the rendered objects."""

import json
import shutil
import subprocess
from copy import deepcopy
from pathlib import Path

import yaml
from support.requirements import skip_without

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "pcc-training-job"
ENVIRONMENTS = ("dev", "staging", "production")
EVERYTHING = ROOT / "tests/chart/everything.yaml"
CASES = {name: CHART / "ci" / f"{name}-values.yaml" for name in ENVIRONMENTS} | {
    "everything": EVERYTHING
}
MINIMAL = {
    "config": {"store": {"uri": "s3://models/pcc"}, "dataset": {"uri": "s3://curated/t.csv"}}
}
RELEASE, NAMESPACE, KUBERNETES = "pcc-training-job", "pcc", "1.34.0"


def program(name, requirement="helm"):
    """Return the path of a program; without it, skip the test, or fail it if it is required."""
    path = shutil.which(name)
    if path is None:
        skip_without(requirement, f"there is no {name} here")
    return path


def helm(*arguments, values=None):
    """Run helm with values as a file, because --set does not preserve null and numbers."""
    return subprocess.run(
        [program("helm"), *map(str, arguments), *(["-f", "-"] if values is not None else [])],
        input=None if values is None else json.dumps(values),
        capture_output=True,
        text=True,
        timeout=60,
    )


def template(values, *arguments, release=RELEASE, namespace=NAMESPACE, chart=CHART):
    """Run `helm template` on values, given as a mapping or a file."""
    files = ["-f", values] if isinstance(values, Path) else []
    given = None if isinstance(values, Path) else values
    common = ("--namespace", namespace, "--kube-version", KUBERNETES)
    return helm("template", release, chart, *common, *files, *arguments, values=given)


def render(values, *arguments, **names):
    """Return the rendered objects by kind."""
    done = template(values, *arguments, **names)
    assert done.returncode == 0, done.stderr
    return {document["kind"]: document for document in yaml.safe_load_all(done.stdout) if document}


def refusal(values):
    """Return helm's error message for invalid values."""
    done = template(values)
    assert done.returncode != 0, "helm accepted it"
    return done.stderr


def job_spec(objects):
    return objects["CronJob"]["spec"]["jobTemplate"]["spec"]


def pods(objects):
    """Return the pod templates: of the run, and of `helm test`."""
    return {"run": job_spec(objects)["template"], "doctor": objects["Pod"]}


def with_value(values, path, value):
    """Return a copy of values with one dotted path changed."""
    changed = deepcopy(values)
    *parents, leaf = path.split(".")
    branch = changed
    for name in parents:
        branch = branch.setdefault(name, {})
    branch[leaf] = value
    return changed


def load(path):
    return yaml.safe_load(path.read_text())


def container_of(pod):
    return pod["spec"]["containers"][0]


def variables(pod):
    return {item["name"]: item for item in container_of(pod).get("env", [])}


def volumes(pod):
    return {item.pop("name"): item for item in pod["spec"]["volumes"]}


def mounts(pod):
    return {item["mountPath"]: item for item in container_of(pod)["volumeMounts"]}
