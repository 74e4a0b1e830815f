"""The JSON Schema of the settings file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from job.contracts.settings.job_settings import JobSettings
from job.stages.training.estimators import ESTIMATOR_KINDS

if TYPE_CHECKING:
    from pydantic.json_schema import JsonSchemaValue

# settings that follow from the table's columns unless stated, and the type of their section; the
# value `auto` states nothing
AUTOMATIC: Final = {"features.use": "FeatureSpec", "expectations.suite": "ExpectationsSpec"}


def settings_schema() -> JsonSchemaValue:
    """Return the JSON Schema of the settings, with the names of the estimators and `auto`."""
    schema = JobSettings.model_json_schema()
    for key, spec in AUTOMATIC.items():
        name = key.rpartition(".")[2]
        stated = schema["$defs"][spec]["properties"][name]
        texts = {k: stated.pop(k) for k in ("title", "description") if k in stated}
        stated.pop("default")
        either = {"anyOf": [{"const": "auto"}, stated], "default": "auto"}
        schema["$defs"][spec]["properties"][name] = {**either, **texts}
    properties = schema["$defs"]["SearchSpec"]["properties"]
    estimators = {**properties["estimators"], "propertyNames": {"enum": sorted(ESTIMATOR_KINDS)}}
    properties["estimators"] = dict(sorted(estimators.items()))
    return schema
