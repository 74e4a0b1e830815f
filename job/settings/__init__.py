"""Merge the settings from defaults, a file, PCC_JOB_* variables and options."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from job.adapters.small_files import UnusableFileError, read_small_file
from job.adapters.yaml_values import MAX_BYTES, YamlError, parse_yaml
from job.contracts.lineage_key import KEY_VARIABLE
from job.contracts.messages import did_you_mean, quote, shorten
from job.contracts.settings.job_settings import JobSettings
from job.errors import ConfigurationError
from job.settings.schema import AUTOMATIC
from job.settings.validation import validate_settings
from job.stages.training.estimators import find_kind

PREFIX: Final = "PCC_JOB_"
_MAX_TEXT: Final = 4096
_MAPPINGS: Final = (
    "dataset.aliases",
    "expectations.parameters",
    "search.estimators",
    "store.tags",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveSettings:
    """The settings, and the source of each setting that a file, variable or option sets."""

    settings: JobSettings
    origins: Mapping[str, str]


def known_keys() -> Iterator[str]:
    """Yield the dotted key of each setting; sections are not included."""
    return (key for key, _ in _annotations(JobSettings))


def _annotations(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield pairs: the dotted key of each setting below a section, and the type annotation."""
    for name, field in model.model_fields.items():
        key = f"{prefix}{name}"
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _annotations(field.annotation, f"{key}.")
        else:
            yield key, field.annotation


def load_settings(
    path: Path | None, environment: Mapping[str, str], flags: Sequence[tuple[str, str, object]]
) -> EffectiveSettings:
    """Merge file, environment variables and options; for each key, later ones take precedence.

    Parameters
    ----------
    flags
        Triples of the dotted key, the option as messages show it, and the value.

    Raises
    ------
    ConfigurationError
        A file does not exist, a key or variable is unknown, or a value is invalid.
    """
    keys = tuple(known_keys())
    values: dict[str, object] = {}
    origins: dict[str, str] = {}
    content = _flatten(_read(path)) if path else ()
    layers = [(key, shorten(str(path)), value) for key, value in content]
    layers += _from_environment(environment, keys)
    for flag_key, flag, flag_value in flags:
        section = [key for key in keys if key.startswith(f"{flag_key}.")]
        if section and isinstance(flag_value, Mapping):
            layers = [layer for layer in layers if layer[0] not in section]
            layers += [(key, flag, value) for key, value in _flatten(flag_value, f"{flag_key}.")]
        else:
            layers.append((flag_key, flag, flag_value))
    for key, origin, value in layers:
        _check_known(key, origin, keys)
        _check_texts(value, key, origin)
        values[key], origins[key] = value, origin
    for key in [key for key in AUTOMATIC if values.get(key) == "auto"]:
        del values[key], origins[key]
    settings = validate_settings(_nested(values), origins)
    for name in settings.search.estimators:
        origin = origins.get("search.estimators", "the settings")
        find_kind(name, f"search.estimators (from {origin})")
    return EffectiveSettings(settings=settings, origins=origins)


def parse_value(text: str, origin: str) -> object:
    """Return the value of a YAML text; `origin` names the source in errors.

    A delimiter of CSV files stands for itself, although YAML reads `|` and `,` as parts of a text.
    """
    if text in (",", "|"):
        return text
    return _load(
        text,
        f"the value of {origin}",
        "quote the value for the shell, as in --set 'features.use=[text]'",
    )


def _load(text: str, what: str, hint: str) -> object:
    try:
        return parse_yaml(text)
    except YamlError as error:
        raise ConfigurationError(f"{what} {error}", hint=error.hint or hint) from None


def _read(path: Path) -> Mapping[object, object]:
    name = f"the settings file {quote(str(path))}"
    try:
        text = read_small_file(path, MAX_BYTES).decode("utf-8-sig")
    except UnusableFileError as error:
        raise ConfigurationError(
            f"{name} {error}",
            hint=error.hint or "check the path in --config, and the permissions of the file",
        ) from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{name} is not UTF-8 text", hint="save it as UTF-8") from None
    content = _load(text, name, "check its indentation")
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigurationError(
            f"{name} is not a mapping of keys to values",
            hint="write `key: value` lines; `pcc-job config schema` prints the schema",
        )
    return content


def _check_texts(value: object, key: str, origin: str) -> None:
    """Raise for a text, at any level of a value, that is too long or has a control character."""
    if isinstance(value, Mapping):
        value = [*value, *value.values()]
    if isinstance(value, (list, tuple)):
        for item in value:
            _check_texts(item, key, origin)
    if not isinstance(value, str):
        return
    is_plain = all(unicodedata.category(c) not in ("Cc", "Cs") or c in "\n\t" for c in value)
    if len(value) > _MAX_TEXT or not is_plain:
        raise ConfigurationError(
            f"{key} (from {origin}): a text has a control character, is not UTF-8, or has more "
            f"than {_MAX_TEXT:,} characters",
            hint="correct the text",
        )


def _sections() -> set[str]:
    """Return the dotted names of the sections, which contain settings."""
    sections = {key.rpartition(".")[0] for key in known_keys()} - {""}
    return sections | {section.partition(".")[0] for section in sections}


def _flatten(content: Mapping[object, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    sections = _sections()
    for name, value in content.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping) and key in sections and key not in _MAPPINGS:
            yield from _flatten(value, f"{key}.")
        elif value is not None or (key not in sections and key not in _MAPPINGS):
            yield key, value


def _from_environment(
    environment: Mapping[str, str], keys: Sequence[str]
) -> list[tuple[str, str, object]]:
    layers: list[tuple[str, str, object]] = []
    annotations = dict(_annotations(JobSettings))
    names = {f"{PREFIX}{key.replace('.', '__').upper()}": key for key in keys}
    for variable in sorted(environment):
        if not variable.startswith(PREFIX) or variable == KEY_VARIABLE:
            continue
        if variable not in names:
            raise ConfigurationError(
                f"unknown variable {quote(variable)}"
                f"{did_you_mean(variable, [*names, KEY_VARIABLE])}",
                # `config show` would refuse the variable, too
                hint="`pcc-job config schema` has all settings; in variables, `__` separates the "
                "levels, as in PCC_JOB_DATASET__URI",
            )
        key = names[variable]
        raw = environment[variable]
        value = raw if annotations[key] is str else parse_value(raw, variable)
        layers.append((key, variable, value))
    return layers


def _check_known(key: str, origin: str, keys: Sequence[str]) -> None:
    if key in _sections():
        raise ConfigurationError(
            f"{quote(key)} from {origin} is a section, not a setting",
            hint="set one of its keys; `pcc-job config show` lists them",
        )
    if key not in keys:
        raise ConfigurationError(
            f"unknown setting {quote(key)} from {origin}{did_you_mean(key, [*keys, *_sections()])}",
            hint="`pcc-job config show` lists the settings",
        )


def _nested(values: Mapping[str, object]) -> dict[str, object]:
    """Convert a mapping of dotted keys to nested mappings, one for each section."""
    leaves: dict[str, object] = {}
    sections: dict[str, dict[str, object]] = {}
    for key, value in values.items():
        name, dot, rest = key.partition(".")
        if dot:
            sections.setdefault(name, {})[rest] = value
        else:
            leaves[name] = value
    return leaves | {name: _nested(section) for name, section in sections.items()}
