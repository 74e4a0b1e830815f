"""Write the generated parts of the chart; with `--check`, fail if they are out of date."""

import json
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import yaml

from job.errors import POD_ACTIONS, PodAction
from job.settings.schema import settings_schema

CHART = Path(__file__).parent.parent / "charts" / "pcc-training-job"
API = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"
API_TYPES = ("Affinity", "EnvVarSource", "Volume")
POLICY = """\
{{{{/* Generated from job/errors.py by scripts/generate_chart.py. */}}}}
{{{{- define "pcc-training-job.podFailurePolicy" -}}}}
rules:
  # must be the first rule: an evicted, drained or preempted pod has not failed by itself
  - action: Ignore
    onPodConditions:
      - type: DisruptionTarget
        status: "True"
  - action: FailJob
    onExitCodes:
      containerName: job
      operator: In
      values: {fail_job}
  # the default for any other code; listed so that each documented code has a rule
  - action: Count
    onExitCodes:
      containerName: job
      operator: In
      values: {count}
{{{{- end -}}}}
"""


def pod_failure_policy() -> str:
    """Return the template of the Job's podFailurePolicy."""
    return POLICY.format(
        fail_job=_codes(PodAction.FAIL_JOB),
        count=_codes(PodAction.COUNT, PodAction.COUNT_UNLESS_DISRUPTED),
    )


def values_schema() -> str:
    """Return the schema of the values: the base file, the settings and the Kubernetes types."""
    schema = yaml.safe_load((CHART / "values.schema.base.yaml").read_text())
    settings = settings_schema()
    definitions = settings.pop("$defs")
    duplicates = sorted(definitions.keys() & schema["$defs"].keys())
    assert not duplicates, f"settings and values both define {duplicates}"
    _require_keys(schema)
    schema["properties"]["config"] = settings
    schema["$defs"] |= definitions | kubernetes_types()
    return json.dumps(schema, indent=2) + "\n"


def kubernetes_types() -> dict[str, Any]:
    """Return the schemas of the API types in the values, and of all types that they refer to.

    The schemas refuse unknown keys.  They describe the newest version of Kubernetes; an older
    server ignores fields that it does not know.
    """
    version = kubernetes_validate.latest_version()
    path = API / f"v{version}-local-strict" / "_definitions.json"
    api = json.loads(path.read_text())["$defs"]
    types: dict[str, Any] = {}
    pending = [f"io.k8s.api.core.v1.{name}" for name in API_TYPES]
    while pending:
        name = pending.pop()
        if _short(name) not in types:
            types[_short(name)] = _without_prose(api[name], pending)
    source = dict(types["Kubernetes.Volume"])
    source["properties"] = {k: v for k, v in source["properties"].items() if k != "name"}
    source["required"] = [name for name in source["required"] if name != "name"]
    types["Kubernetes.VolumeSource"] = source | {"maxProperties": 1}
    return dict(sorted(types.items()))


def _without_prose(node: Any, pending: list[str]) -> Any:
    """Return a schema without descriptions; append the types that it refers to to `pending`."""
    if isinstance(node, list):
        return [_without_prose(child, pending) for child in node]
    if not isinstance(node, dict):
        return node
    if isinstance(node.get("$ref"), str):
        name = node["$ref"].rpartition("/")[2]
        pending.append(name)
        return {"$ref": f"#/$defs/{_short(name)}"}
    return {
        key: _without_prose(child, pending)
        for key, child in node.items()
        if not (key in ("description", "format") and isinstance(child, str))
    }


def _short(name: str) -> str:
    return f"Kubernetes.{name.rpartition('.')[2]}"


def _require_keys(schema: dict[str, Any]) -> None:
    """Require all keys that must not be null: in Helm, null removes the chart's default value."""
    properties = schema.get("properties", {})
    if properties:
        schema["required"] = [
            name
            for name, child in properties.items()
            if name != "global" and not _is_nullable(child)
        ]
    for child in properties.values():
        _require_keys(child)


def _is_nullable(schema: dict[str, Any]) -> bool:
    return "null" in schema.get("type", ()) or None in schema.get("enum", ())


def _codes(*actions: PodAction) -> list[int]:
    return sorted(int(code) for code, action in POD_ACTIONS.items() if action in actions)


def main() -> None:
    contents = {
        CHART / "templates" / "_pod-failure-policy.tpl": pod_failure_policy(),
        CHART / "values.schema.json": values_schema(),
    }
    for path, content in contents.items():
        if "--check" not in sys.argv:
            path.write_text(content)
        elif not path.is_file() or path.read_text() != content:
            raise SystemExit(f"{path.name} is stale: run `make docs`")


if __name__ == "__main__":
    main()
