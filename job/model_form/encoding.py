"""Convert a model's plain form to the bytes of `model.safetensors` and back.

How it works
------------
1. The form is an object of JSON values and arrays.  An array at `blocks[0].offset` becomes the
   array `blocks/0/offset` of the file; everything else is canonical JSON under the key `model`.
2. When the file is read, the format and its version are checked first.  Then arrays are put back to
   their places, and the result is validated: types, shapes, finite numbers, and whether the parts
   fit together.
"""

from __future__ import annotations

import json
from typing import Any, Final

import numpy as np
from pydantic import ValidationError

from job.contracts.arrays import Array
from job.contracts.messages import quote
from job.contracts.remedies import AVOID_VERSION
from job.contracts.strict_json import parse_json
from job.errors import IntegrityError
from job.model_form.form import ModelForm
from job.model_form.problems import UnknownFormError, explain
from job.model_form.tensors import read_arrays, split_file, write_tensors

_KEY: Final = "model"
_FORMATS: Final = {
    name: ModelForm.model_fields[name].default for name in ("format", "format_version")
}


def encode_form(form: ModelForm) -> bytes:
    """Return the bytes of a form; equal forms give equal bytes."""
    return encode_content(form.model_dump(mode="python"))


def encode_content(content: dict[str, Any]) -> bytes:
    """Return the bytes of a form's JSON values and arrays, which are not checked."""
    tensors: dict[str, Array] = {}
    values = _take_arrays(content, "", tensors)
    text = json.dumps(
        values, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return write_tensors(tensors, {_KEY: text})


def decode_form(data: bytes, name: str) -> ModelForm:
    """Return the form in the bytes of a file.

    Parameters
    ----------
    name
        Key of the file in the store, for the error message.

    Raises
    ------
    IntegrityError
        The bytes are not a file of this format, or the parts of the model do not fit together.
    """
    try:
        return _decode(data)
    except UnknownFormError as error:
        raise IntegrityError(
            f"this release cannot read {name}: {error}",
            hint="use the release of pcc-job that published the version, or a later one",
        ) from None
    except ValueError as error:
        raise IntegrityError(
            f"{name} is malformed: {error}",
            hint=f"the file is malformed although its digest matches; {AVOID_VERSION}",
        ) from None


def _decode(data: bytes) -> ModelForm:
    """Return the form in the bytes of a file, or raise `ValueError`."""
    entries, texts, body = split_file(data)
    if _KEY not in texts:
        raise ValueError("it has no model")
    content = parse_json(texts[_KEY].encode())
    if not isinstance(content, dict):
        raise ValueError("its model is not a JSON object")
    for key, known in _FORMATS.items():
        if (found := content.get(key, known)) != known:
            raise UnknownFormError(f"unknown {key} {quote(str(found))}; known: '{known}'")
    tensors = read_arrays(entries, body)
    for path, tensor in tensors.items():
        _put_array(content, path, tensor)
    try:
        return ModelForm.model_validate(content)
    except ValidationError as error:
        raise explain(error, tensors) from None


def _take_arrays(value: Any, path: str, tensors: dict[str, Array]) -> Any:
    """Return a value without its arrays, which are put into `tensors` by their paths."""
    if isinstance(value, dict):
        kept = {}
        for key, part in value.items():
            part_path = f"{path}/{key}" if path else key
            if isinstance(part, np.ndarray):
                tensors[part_path] = part
            else:
                kept[key] = _take_arrays(part, part_path, tensors)
        return kept
    if isinstance(value, (list, tuple)):
        return [_take_arrays(part, f"{path}/{n}", tensors) for n, part in enumerate(value)]
    return value


def _put_array(content: Any, path: str, tensor: Array) -> None:
    """Put an array to its place; raise `ValueError` if there is no such place."""
    *parents, last = path.split("/")
    for part in parents:
        if isinstance(content, list) and part.isdecimal() and int(part) < len(content):
            content = content[int(part)]
        elif isinstance(content, dict) and part in content:
            content = content[part]
        else:
            content = None
    if not isinstance(content, dict):
        raise ValueError(f"array {quote(path)} belongs to no part of the model")
    if last in content:
        raise ValueError(f"array {quote(path)} has another value in the JSON of the model")
    content[last] = tensor
