"""Convert a model's plain form to the bytes of `model.safetensors` and back.

How it works
------------
1. The form is an object of JSON values and arrays.  An array at `blocks[0].offset` becomes the
   array `blocks/0/offset` of the file; everything else is canonical JSON under the key `model`.
2. When the file is read, arrays are put back to their places, and the result is validated: types,
   shapes, finite numbers, and whether the parts fit together.
"""

from __future__ import annotations

import json
from typing import Any, Final

import numpy as np
from pydantic import ValidationError

from job.contracts.arrays import Array
from job.contracts.messages import describe_problem
from job.contracts.strict_json import parse_json
from job.errors import IntegrityError
from job.model_form.form import ModelForm
from job.model_form.tensors import read_tensors, write_tensors

_KEY: Final = "model"


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
        tensors, texts = read_tensors(data)
        content = parse_json(texts[_KEY].encode())
        for path, tensor in tensors.items():
            _put_array(content, path.split("/"), tensor)
        return ModelForm.model_validate(content)
    except ValidationError as error:
        [problem, *_] = error.errors(include_url=False, include_input=False)
        reason = describe_problem(problem)
    except KeyError:
        reason = "it has no model"
    except ValueError as error:
        reason = str(error)
    raise IntegrityError(
        f"this release cannot read {name}: {reason}",
        hint="use the release of pcc-job that published the version, or a later one",
    )


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


def _put_array(content: Any, path: list[str], tensor: Array) -> None:
    """Put an array to its place; raise `ValueError` if there is no such place."""
    *parents, last = path
    for part in parents:
        if isinstance(content, list) and part.isdecimal() and int(part) < len(content):
            content = content[int(part)]
        elif isinstance(content, dict) and part in content:
            content = content[part]
        else:
            content = None
    if not isinstance(content, dict) or last in content:
        raise ValueError("an array belongs to no part of the model")
    content[last] = tensor
