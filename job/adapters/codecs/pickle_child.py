"""Load a pickled model in a process of its own, and predict one row.

`pickle_check` runs this file as a script, so it imports nothing of this package.  It is the only
module that reads a pickle, and the pickle may be forged.

How it works
------------
1. The process limits its time, loads the libraries, and then limits its memory.
2. The reader knows only the instructions and names of published models.  It creates objects of the
   named classes without calling `__init__`, and stores named functions without calling them.
3. Arrays, types and numbers are built here, not by the functions of NumPy that the file names.
   Arrays of objects are nested pickles, and the same reader reads them.
4. The process predicts one row, and writes one line: `loaded`, or why there is no prediction.
"""

from __future__ import annotations

import importlib
import io
import json
import math
import pickle
import re
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np

CLASSES: Final = (  # what a model consists of; all other names are refused
    "sklearn.calibration.CalibratedClassifierCV",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.calibration._TemperatureScaling",
    "sklearn.compose._column_transformer.ColumnTransformer",
    "sklearn.dummy.DummyClassifier",
    "sklearn.feature_extraction.text.CountVectorizer",
    "sklearn.feature_extraction.text.TfidfTransformer",
    "sklearn.impute._base.MissingIndicator",
    "sklearn.impute._base.SimpleImputer",
    "sklearn.linear_model._logistic.LogisticRegression",
    "sklearn.pipeline.FeatureUnion",
    "sklearn.pipeline.Pipeline",
    "sklearn.preprocessing._data.Normalizer",
    "sklearn.preprocessing._encoders.OneHotEncoder",
    "sklearn.preprocessing._function_transformer.FunctionTransformer",
    "sklearn.svm._classes.LinearSVC",
)
# NOTE: a forged model can call these with any arguments when it predicts, so none of them may
# read or write a file, import a module, or get an attribute by name
VALUES: Final = (
    "numpy.absolute",
    "numpy.arcsinh",
    "numpy.asarray",
    "numpy.clip",
    "numpy.dot",
    "numpy.exp",
    "numpy.float32",
    "numpy.float64",
    "numpy.nan_to_num",
    "numpy.polynomial.polynomial.polyval",
    "numpy.square",
    "numpy.sum",
    "numpy.take",
)
_INSTRUCTIONS: Final = (
    *(pickle.PROTO, pickle.FRAME, pickle.STOP, pickle.MARK, pickle.STACK_GLOBAL),
    *(pickle.NONE, pickle.NEWTRUE, pickle.NEWFALSE, pickle.BINFLOAT, pickle.SHORT_BINBYTES),
    *(pickle.BININT, pickle.BININT1, pickle.BININT2, pickle.LONG1, pickle.SHORT_BINUNICODE),
    *(pickle.EMPTY_TUPLE, pickle.TUPLE, pickle.TUPLE1, pickle.TUPLE2, pickle.TUPLE3),
    *(pickle.EMPTY_LIST, pickle.APPEND, pickle.APPENDS, pickle.BINUNICODE, pickle.MEMOIZE),
    *(pickle.EMPTY_DICT, pickle.SETITEM, pickle.SETITEMS, pickle.BINGET, pickle.LONG_BINGET),
)
_TYPES: Final = re.compile(r"f[48]|i[48]|O8|U\d{1,6}", re.ASCII)
_NAME: Final = re.compile(r"[A-Za-z_][\w.]{0,99}", re.ASCII)


class RefusedError(Exception):
    """The file has something that no published model has; the message is its name or empty."""


@dataclass(frozen=True, slots=True)
class _Maker:
    """Stands for a class or function that the file names; a model cannot call it."""

    make: Callable[..., object]


class _StoredArray:
    """An array whose description has not been read yet; its values follow the description."""


class _ObjectArray:
    """An array of objects that has not been filled yet."""


def _make_dtype(code: str, *_: object) -> np.dtype[Any]:
    if not _TYPES.fullmatch(code):
        raise RefusedError("numpy.dtype")
    return np.dtype(code)


BUILT_HERE: Final[dict[str, object]] = {
    "builtins.slice": _Maker(slice),
    "joblib.numpy_pickle.NumpyArrayWrapper": _Maker(_StoredArray),
    "numpy._core.multiarray._reconstruct": _Maker(lambda *_: _ObjectArray()),
    "numpy._core.multiarray.scalar": _Maker(lambda dtype, data: np.frombuffer(data, dtype)[0]),
    "numpy.dtype": _Maker(_make_dtype),
    "numpy.ndarray": None,  # nothing else stands in its place
}


class Reader(pickle._Unpickler):
    """Reads a joblib file without compression, if it has only what published models have.

    `load` raises `RefusedError` for anything else, and any error if the file is damaged.
    """

    stack: list[Any]
    dispatch: ClassVar[dict[int, Any]] = {
        code[0]: pickle._Unpickler.dispatch[code[0]] for code in _INSTRUCTIONS
    }

    def __init__(self, stream: io.BytesIO) -> None:
        super().__init__(stream)
        self._stream = stream

    def find_class(self, module: str, name: str) -> object:
        """Return what stands for a name; raise `RefusedError` for a name that is not listed."""
        full_name = f"{module}.{name}"
        if full_name in BUILT_HERE:
            return BUILT_HERE[full_name]
        if full_name in CLASSES:
            listed = _load(full_name)
            return _Maker(lambda: listed.__new__(listed))
        if full_name in VALUES:
            return _load(full_name)
        raise RefusedError(full_name if _NAME.fullmatch(full_name) else "")

    def _make(self) -> None:
        arguments, maker = self.stack.pop(), self.stack.pop()
        if not isinstance(maker, _Maker):
            raise RefusedError
        self.stack.append(maker.make(*arguments))

    def _set_state(self) -> None:
        state, target = self.stack.pop(), self.stack.pop()
        match target, state:
            case np.dtype(), (3, order, None, None, None, *_) if order in ("|", target.str[0]):
                pass  # its code has said the rest
            case _ObjectArray(), (1, (size,), _, False, list(items)):
                target = np.fromiter(items, dtype=object, count=size)
            case _StoredArray(), dict():
                target = self._read_array(**state)
            case _, dict() if type(target).__module__.startswith("sklearn."):
                vars(target).update(state)
            case _:
                raise RefusedError
        self.stack.append(target)

    def _read_array(self, *, dtype: Any, shape: Any, order: Any, **_: object) -> object:
        """Return the array that follows; its description comes from the file, too."""
        if not isinstance(dtype, np.dtype):
            raise RefusedError("joblib.numpy_pickle.NumpyArrayWrapper")
        if dtype.hasobject:
            return type(self)(self._stream).load()
        self._stream.read(self._stream.read(1)[0])  # padding
        n_bytes = math.prod(shape) * dtype.itemsize
        if not 0 <= n_bytes <= self._stream.getbuffer().nbytes:
            raise RefusedError("joblib.numpy_pickle.NumpyArrayWrapper")
        # a bytearray, because the arrays of a model can be written to
        values = np.frombuffer(bytearray(self._stream.read(n_bytes)), dtype)
        return values.reshape(shape, order=order)

    dispatch |= {
        pickle.REDUCE[0]: _make,
        pickle.NEWOBJ[0]: _make,
        pickle.BUILD[0]: _set_state,
    }


def _load(name: str) -> Any:
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


def load(data: bytes) -> Any:
    """Return the model in the bytes of `model.joblib`."""
    stream = io.BytesIO(data)
    try:
        model = Reader(stream).load()
    except KeyError:
        raise RefusedError from None  # an instruction that is not listed
    if stream.read(1):
        raise RefusedError
    return model


def _predict_one_row(model: Any, given: dict[str, Any]) -> None:
    """Predict one row; `given` is `input` of the metadata."""
    import pandas as pd

    row: Any = ["please delete my data"]
    if given["kind"] == "embeddings":
        row = np.zeros((1, given["shape"][1]), dtype=np.float32)
    elif given["kind"] != "text":
        kinds = zip(given["names"], given["dtypes"], strict=True)
        row = pd.DataFrame({n: ["x" if kind == "str" else 0.0] for n, kind in kinds})
    assert len(model.predict(row)) == 1
    assert model.predict_proba(row).shape == (1, len(model.classes_))


def _load_libraries() -> None:
    import pandas as pd

    pd.DataFrame({"text": ["x"]})  # loads pyarrow
    for name in (*CLASSES, *VALUES):
        _load(name)


def check(folder: Path, memory_bytes: int) -> str:
    """Load the version in `folder` and predict one row; return the line to report."""
    _load_libraries()
    if (status := Path("/proc/self/statm")).exists():  # macOS has none, and no such limit
        memory_bytes += int(status.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))  # root may still create processes
    try:
        model = load((folder / "model.joblib").read_bytes())
        _predict_one_row(model, json.loads((folder / "metadata.json").read_bytes())["input"])
    except RefusedError as error:
        return f"refused {error}"
    except MemoryError:
        return "memory"
    except Exception as error:  # noqa: BLE001  # a forged model can raise any error
        return f"failed {type(error).__name__}"
    return "loaded"


if __name__ == "__main__":
    _, given_folder, cpu_seconds, wall_seconds, n_bytes = sys.argv
    signal.alarm(int(wall_seconds))  # also ends the process if its parent is gone
    resource.setrlimit(resource.RLIMIT_CPU, (int(cpu_seconds), int(cpu_seconds) + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    print(check(Path(given_folder), int(n_bytes)))
