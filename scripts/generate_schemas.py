"""Write the JSON Schemas of published files; with `--check`, fail if they are stale."""

import json
import sys
from pathlib import Path

from pydantic import BaseModel

from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.profile import Profile

FOLDER = Path(__file__).parent.parent / "docs/schemas"
SCHEMAS: dict[str, type[BaseModel]] = {"evaluation": Evaluation, "profile": Profile}


def schema(model: type[BaseModel]) -> str:
    content = model.model_json_schema()
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
