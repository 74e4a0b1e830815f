"""Write the JSON Schemas of published files; `--check` fails where they are stale."""

import json
import sys
from pathlib import Path

from job.contracts.evaluation import Evaluation

FOLDER = Path(__file__).parent.parent / "docs/schemas"


def schema() -> str:
    content = Evaluation.model_json_schema()
    content["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(content, indent=2, sort_keys=True) + "\n"


def main() -> None:
    path = FOLDER / "evaluation.schema.json"
    if "--check" in sys.argv:
        if not path.exists() or path.read_text() != schema():
            raise SystemExit(f"{path} is stale: run `make docs`")
        return
    path.parent.mkdir(exist_ok=True)
    path.write_text(schema())


if __name__ == "__main__":
    main()
