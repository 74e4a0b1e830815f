"""The published JSON Schemas, as strict as the job's own files must be."""

import json

import jsonschema

from scripts.generate_schemas import FOLDER


def read_schema(name):
    return json.loads((FOLDER / f"{name}.schema.json").read_text())


def check(name, content):
    """Raise unless JSON matches its schema, without properties that the schema does not know.

    Consumers accept unknown properties, because later releases may add some.
    """
    schema = read_schema(name)
    for part in (schema, *schema.get("$defs", {}).values()):
        if "properties" in part:
            part["additionalProperties"] = False
    jsonschema.validate(json.loads(content), schema, cls=jsonschema.Draft202012Validator)
