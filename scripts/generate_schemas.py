"""Write the JSON Schemas of published files; with `--check`, fail if they are out of date."""

import json
import sys
from pathlib import Path

from pydantic import BaseModel

from job.contracts.reports.channel import ChannelMove, ChannelPointer
from job.contracts.reports.drift import DriftReport
from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.label_issues import LabelIssues
from job.contracts.reports.manifest import Manifest
from job.contracts.reports.metadata import Metadata
from job.contracts.reports.predictions import Explanation, TablePredictions, TextPredictions
from job.contracts.reports.profile import Profile
from job.contracts.reports.results import GateResult, RunResult
from job.contracts.reports.run_record import RunRecord
from job.contracts.reports.validation import ValidationReport

FOLDER = Path(__file__).parent.parent / "docs/schemas"
SCHEMAS: dict[str, type[BaseModel]] = {
    "channel_move": ChannelMove,
    "channel_pointer": ChannelPointer,
    "drift": DriftReport,
    "evaluation": Evaluation,
    "explanation": Explanation,
    "gate_result": GateResult,
    "label_issues": LabelIssues,
    "manifest": Manifest,
    "metadata": Metadata,
    "profile": Profile,
    "run_record": RunRecord,
    "run_result": RunResult,
    "table_predictions": TablePredictions,
    "text_predictions": TextPredictions,
    "validation": ValidationReport,
}


def schema(model: type[BaseModel]) -> str:
    """Return a schema that accepts keys added by later releases."""
    content = model.model_json_schema()
    for part in (content, *content.get("$defs", {}).values()):
        if "properties" in part:
            part.pop("additionalProperties", None)
    content["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(content, indent=2, sort_keys=True) + "\n"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, model in SCHEMAS.items():
        path = FOLDER / f"{name}.schema.json"
        if "--check" not in sys.argv:
            path.write_text(schema(model))
        elif not path.exists() or path.read_text() != schema(model):
            raise SystemExit(f"{path} is stale: run `make docs`")


if __name__ == "__main__":
    main()
