"""The schemas are generated from the types that write the files."""

import pytest
from pydantic import Field
from support.schemas import read_schema

from job.contracts.reports.manifest import Manifest
from scripts import generate_schemas


@pytest.mark.parametrize("name", generate_schemas.SCHEMAS)
def test_schema_is_that_of_the_type(name):
    """`make docs` writes it."""
    path = generate_schemas.FOLDER / f"{name}.schema.json"

    assert path.read_text() == generate_schemas.schema(generate_schemas.SCHEMAS[name])


@pytest.mark.parametrize("name", generate_schemas.SCHEMAS)
def test_each_property_is_described(name):
    """A consumer reads the schema, not the code; a reference leads to a described part."""
    schema = read_schema(name)
    parts = {"": schema, **schema.get("$defs", {})}
    if name in ("evaluation", "gate_result"):
        parts = {"": schema}
    properties = {
        f"{part}.{key}": value
        for part, content in parts.items()
        for key, value in content.get("properties", {}).items()
    }

    assert [] == [
        key for key, value in properties.items() if not {"description", "$ref"} & {*value}
    ]


def test_changed_field_fails_the_check(monkeypatch):
    """A file that changes without its schema would break consumers unseen."""

    class Changed(Manifest):
        later: int = Field(0, description="Added.")

    monkeypatch.setitem(generate_schemas.SCHEMAS, "manifest", Changed)
    monkeypatch.setattr("sys.argv", ["generate_schemas", "--check"])

    with pytest.raises(SystemExit, match=r"manifest\.schema\.json is stale"):
        generate_schemas.main()


@pytest.mark.parametrize("name", generate_schemas.SCHEMAS)
def test_later_releases_may_add_properties(name):
    """A consumer that validates a file of a later release must not refuse it."""
    assert "additionalProperties" not in read_schema(name)
