"""Complete the settings from the columns of the table, where the settings are silent.

For the upstream's curated table, suite, features and minimum scores keep their defaults.
For any other table, the roles of the columns are found, features and suite follow from them, and
the candidate must be better than the majority class.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel

from job.contracts.settings.job_settings import JobSettings
from job.contracts.table_preview import TablePreview
from job.settings import EffectiveSettings
from job.settings.validation import validate_settings
from job.stages.data.find_roles import FoundRoles, find_roles
from job.stages.data.usual_names import ROLES, Role

ORIGIN: Final = "the columns of the table"
UPSTREAM_SUITE: Final = "curated_training_data"
MIN_ROWS: Final = 50  # of a table that is not the upstream's
_FOLLOWED_ROLES: Final[tuple[Role, ...]] = ("target", "text", "embeddings", "timestamp")
_SUITES: Final[Mapping[tuple[Role, ...], str]] = {
    ("text",): "labelled_text",
    ("embeddings",): "labelled_embeddings",
    ("text", "embeddings"): "labelled_text_embeddings",
}
_ROLES_OF_FEATURES: Final[tuple[Role, ...]] = ("text", "embeddings")
_FLOORS: Final = ("accuracy", "precision_macro", "recall_macro", "f1_macro")


def find_stated_roles(effective: EffectiveSettings, preview: TablePreview) -> FoundRoles:
    """Return the roles of the table's columns; roles that the settings state are kept."""
    return find_roles(preview, effective.settings.dataset, list_stated_roles(effective))


def list_stated_roles(effective: EffectiveSettings) -> set[Role]:
    """Return the roles whose columns a file, a variable or an option states."""
    return {role for role in ROLES if f"dataset.columns.{role}" in effective.origins}


def follow_columns(effective: EffectiveSettings, found: FoundRoles) -> EffectiveSettings:
    """Return the settings for a table, completed from the roles of its columns.

    A setting that a file, a variable or an option states is never changed.

    Raises
    ------
    ConfigurationError
        The completed settings contradict each other.
    """
    silent = {
        key: value
        for key, value in _propose(effective, found).items()
        if key not in effective.origins and value != _value(effective.settings, key)
    }
    if not silent:
        return effective
    origins = {**effective.origins, **dict.fromkeys(silent, ORIGIN)}
    content = effective.settings.model_dump()
    for key, value in silent.items():
        *sections, name = key.split(".")
        place = content
        for section in sections:
            place = place[section]
        place[name] = value
    return EffectiveSettings(settings=validate_settings(content, origins), origins=origins)


def is_upstream(effective: EffectiveSettings, found: FoundRoles) -> bool:
    """Return whether a table has the upstream's contract: by its columns or the stated suite."""
    if "expectations.suite" not in effective.origins:
        return found.is_upstream
    suite = effective.settings.expectations.suite
    return suite == UPSTREAM_SUITE or (found.is_upstream and suite not in _SUITES.values())


def _propose(effective: EffectiveSettings, found: FoundRoles) -> dict[str, object]:
    """Return the values that follow from the columns, by key.

    Nothing follows from a table that may have no header, or whose label has no usual name: the run
    then asks for the header or for the label.
    """
    target = found.roles.get("target")
    is_label_clear = target is None or target.source != "cells"
    if is_upstream(effective, found) or not found.has_header or not is_label_clear:
        return {}
    settings, origins = effective.settings, effective.origins
    stated = settings.features.use if "features.use" in origins else ()
    # NOTE: the absence of a column that is needed is an error, which names the default column
    proposed: dict[str, object] = {
        f"dataset.columns.{role}": found.column(role)
        for role in _FOLLOWED_ROLES
        if found.column(role) is not None or role not in ("target", *stated)
    }
    names = {look.name for look in found.looks}
    for role in ("numeric", "categorical", "boolean"):
        listed = getattr(settings.dataset.columns, role)
        proposed[f"dataset.columns.{role}"] = tuple(name for name in listed if name in names)
    features = _find_features(effective, found)
    if features:
        proposed["features.use"] = features
    blocks: tuple[Role, ...] = tuple(
        role for role in _ROLES_OF_FEATURES if role in (stated or features)
    )
    if blocks:
        proposed["expectations.suite"] = _SUITES[blocks]
    proposed["gate.beat_majority"] = True
    proposed["publish.embedding_model"] = "unknown"
    # NOTE: a suite of one's own may be for the upstream's table, so nothing is relaxed for it
    if "expectations.suite" not in origins or settings.expectations.suite in _SUITES.values():
        proposed["dataset.min_rows"] = min(MIN_ROWS, settings.dataset.max_rows)
        proposed |= {f"gate.floors.{name}": None for name in _FLOORS}
    return proposed


def list_followed(effective: EffectiveSettings) -> frozenset[str]:
    """Return the keys of the settings that follow from the columns of the table."""
    return frozenset(key for key, origin in effective.origins.items() if origin == ORIGIN)


def _find_features(effective: EffectiveSettings, found: FoundRoles) -> tuple[str, ...]:
    """Return the features that the table has; a stated suite for one of them excludes the other."""
    columns = effective.settings.dataset.columns
    suite = effective.settings.expectations.suite
    of_suite = {name: blocks for blocks, name in _SUITES.items()}.get(suite)
    return tuple(
        role
        for role in of_suite or _ROLES_OF_FEATURES
        if (effective.origins.get(f"dataset.columns.{role}") and getattr(columns, role))
        or found.column(role)
    )


def _value(settings: JobSettings, key: str) -> object:
    value: object = settings
    for part in key.split("."):
        assert isinstance(value, BaseModel)
        value = getattr(value, part)
    return value
