"""The reader of pickles reads every published model, and nothing else."""

import io
import pickle
import subprocess
import sys
from typing import ClassVar

import numpy as np
import pytest
from support.forged_models import (
    RUNNERS,
    Call,
    dump,
    dump_names,
    make_deep,
    make_runners,
    make_wide_array,
)
from support.published_forms import FORMS, NAMES, train_form

from job.adapters.codecs.canonical_joblib import JoblibCodec
from job.adapters.codecs.pickle_child import (
    BUILT_HERE,
    CLASSES,
    VALUES,
    Reader,
    RefusedError,
    load,
)
from job.stages.training.estimators import ESTIMATOR_KINDS

LISTED = (*CLASSES, *VALUES, *BUILT_HERE)
# a control loads and uses each file without protection
LOAD_ALL = """
import sys
import joblib

for path in sys.argv[1:]:
    try:
        joblib.load(path).predict(["please delete my data"])
    except Exception:
        pass
"""


@pytest.fixture(scope="module")
def trained():
    """Every form of a model, with an input and the bytes of `model.joblib`."""
    forms = [train_form(*form) for form in FORMS]
    return {
        name: (model, X, JoblibCodec().encode(model))
        for name, (model, X) in zip(NAMES, forms, strict=True)
    }


def test_every_published_form_is_read(trained):
    """What is read has the same bytes and predicts the same."""
    for name, (model, X, data) in trained.items():
        read = load(data)

        assert data == JoblibCodec().encode(read), name
        assert model.predict_proba(X).tolist() == read.predict_proba(X).tolist(), name


class Recorder(Reader):
    """Records the names that a file contains."""

    found: ClassVar = set()

    def find_class(self, module, name):
        self.found.add(f"{module}.{name}")
        return super().find_class(module, name)


def test_no_name_is_listed_without_need(trained):
    """Each listed name is in a published form."""
    for _, _, data in trained.values():
        Recorder(io.BytesIO(data)).load()

    assert set(LISTED) == Recorder.found


def test_every_estimator_has_a_form():
    """An estimator that is added needs its classes in the list."""
    assert set(ESTIMATOR_KINDS) == {estimator for _, estimator, _, _ in FORMS}


@pytest.mark.parametrize("names", [CLASSES, VALUES, tuple(BUILT_HERE)], ids=len)
def test_names_are_sorted(names):
    """A name stands once in the lists."""
    assert sorted(set(names)) == list(names)
    assert len(LISTED) == len(set(LISTED))


def test_values_of_any_length_are_read():
    """Models can have many long levels, and large seeds."""
    levels = np.array([f"level {n} " * 40 for n in range(300)] * 2, dtype=object)
    read = load(JoblibCodec().encode({"categories": levels, "seed": 2**40, "C": -1}))

    assert levels.tolist() == read.pop("categories").tolist()
    assert {"seed": 2**40, "C": -1} == read


def test_arrays_can_be_written_to():
    """They are as joblib reads them."""
    matrix = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    read = load(JoblibCodec().encode([matrix, np.zeros((0, 3)), np.array(2.5)]))
    read[0][0, 0] = 7

    assert read[0].flags.f_contiguous
    assert [[7, 1, 2], [3, 4, 5]] == read[0].tolist()
    assert [(0, 3), ()] == [array.shape for array in read[1:]]


def test_forged_files_run_code_without_protection(tmp_path):
    """This control shows that every file creates its canary if joblib loads it."""
    for name, data in make_runners(tmp_path).items():
        (tmp_path / f"{name}.joblib").write_bytes(data)
    paths = [tmp_path / f"{name}.joblib" for name in RUNNERS]
    subprocess.run([sys.executable, "-c", LOAD_ALL, *paths], check=True, timeout=120)

    assert [] == [name for name in RUNNERS if not (tmp_path / name).exists()]


@pytest.mark.parametrize("name", RUNNERS)
def test_forged_file_is_refused(tmp_path, name):
    """It creates no canary."""
    with pytest.raises(RefusedError):
        load(make_runners(tmp_path)[name]).predict(["please delete my data"])

    assert not (tmp_path / name).exists()


@pytest.mark.parametrize(
    "name",
    [
        *("builtins.getattr", "builtins.object", "copyreg._reconstructor", "copyreg.__newobj__"),
        *("operator.attrgetter", "operator.methodcaller", "importlib.import_module"),
        *("numpy.load", "numpy.fromfile", "numpy.save", "numpy.memmap", "numpy.vectorize"),
        *(
            "numpy.apply_along_axis",
            "numpy.core.multiarray._reconstruct",
            "numpy.dtype.newbyteorder",
        ),
        *("joblib.load", "joblib.numpy_pickle.NumpyUnpickler", "scipy.sparse._csr.csr_matrix"),
        *("job.cli.main", "sklearn.datasets.load_files", "numpy.polynomial.polynomial.np.load"),
    ],
)
def test_name_that_is_not_listed_is_refused(name):
    """The error has the name."""
    with pytest.raises(RefusedError) as refused:
        load(dump_names(name))

    assert name == str(refused.value)


@pytest.mark.parametrize("name", ["os.sys tem", "os.\x1b[31m", "os.süß", f"os.{'x' * 120}"])
def test_name_that_could_be_anything_is_not_repeated(name):
    """A terminal or a log receives identifiers only."""
    with pytest.raises(RefusedError) as refused:
        load(dump_names(name))

    assert "" == str(refused.value)


@pytest.mark.parametrize("name", [*CLASSES, *BUILT_HERE])
def test_what_is_listed_to_be_built_cannot_be_called_later(name):
    """A forged model cannot keep it as a function."""
    (kept,) = load(dump_names(name))

    assert not callable(kept)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(dump(Call(np.asarray, [1])), id="a function that is called"),
        pytest.param(dump(Call(np.dtype, "V8")), id="another type"),
        pytest.param(dump(Call(np.dtype, [("a", "O")])), id="fields"),
        pytest.param(dump(np.zeros(3, ">f8")), id="another byte order"),
        pytest.param(dump(np.zeros(3, "M8[s]")), id="dates"),
        pytest.param(make_wide_array(), id="a wide array"),
        pytest.param(dump(np.arange(9.0))[:-8], id="an array that is cut"),
        pytest.param(dump([1]) + b"x", id="more bytes"),
        pytest.param(dump([1])[:-1], id="no end"),
        pytest.param(b"", id="no bytes"),
        pytest.param(b"\x80\x05K\x012e.", id="a repeated item"),
        pytest.param(b"\x80\x05]}b.", id="a state of a list"),
        pytest.param(make_deep(), id="deeply nested pickles"),
        pytest.param(pickle.dumps({1, 2}), id="a set"),
    ],
)
def test_damaged_file_ends_in_an_error(data):
    """No object is returned."""
    with pytest.raises((RefusedError, EOFError, ValueError, RecursionError, TypeError)):
        load(data)


def test_state_of_a_function_is_refused():
    """Functions of NumPy are shared by the whole process."""
    start = dump_names("numpy.polynomial.polynomial.polyval")[:-2]
    with pytest.raises(RefusedError):
        load(start + pickle.EMPTY_DICT + pickle.BUILD + pickle.STOP)
