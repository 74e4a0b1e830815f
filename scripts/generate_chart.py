"""Write the parts of the chart that follow from the code; `--check` fails where they are stale."""

import json
import sys
from pathlib import Path
from typing import Any

import yaml

from job.contracts.specs import JobSettings
from job.errors import POD_ACTIONS, PodAction

CHART = Path(__file__).parent.parent / "charts" / "pcc-training-job"
POLICY = """\
{{{{/* Generated from job/errors.py by scripts/generate_chart.py. */}}}}
{{{{- define "pcc-training-job.podFailurePolicy" -}}}}
rules:
  # first, as the first rule that fits decides: who is evicted, drained or preempted has no verdict
  - action: Ignore
    onPodConditions:
      - type: DisruptionTarget
        status: "True"
  - action: FailJob
    onExitCodes:
      containerName: job
      operator: In
      values: {fail_job}
  # as any other code would be: said, so that each code of the table has its rule
  - action: Count
    onExitCodes:
      containerName: job
      operator: In
      values: {count}
{{{{- end -}}}}
"""


def pod_failure_policy() -> str:
    """Give the template of the Job's podFailurePolicy."""
    return POLICY.format(
        fail_job=_codes(PodAction.FAIL_JOB),
        count=_codes(PodAction.COUNT, PodAction.COUNT_UNLESS_DISRUPTED),
    )


def values_schema() -> str:
    """Give the schema of the values: its hand-written base, and the settings' own schema."""
    schema = yaml.safe_load((CHART / "values.schema.base.yaml").read_text())
    settings = JobSettings.model_json_schema()
    definitions = settings.pop("$defs")
    twice = sorted(definitions.keys() & schema["$defs"].keys())
    assert not twice, f"settings and values both define {twice}"
    _require(schema)
    schema["properties"]["config"] = settings
    schema["$defs"] |= definitions
    return json.dumps(schema, indent=2) + "\n"


def _require(schema: dict[str, Any]) -> None:
    """Miss each key that may not be null: to Helm, null takes the chart's own value away."""
    properties = schema.get("properties", {})
    if properties:
        schema["required"] = [
            name
            for name, child in properties.items()
            if name != "global" and not _is_nullable(child)
        ]
    for child in properties.values():
        _require(child)


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
