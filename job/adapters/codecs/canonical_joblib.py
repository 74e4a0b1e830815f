"""Read and write joblib files in a canonical form: equal models give equal bytes."""

from __future__ import annotations

import copyreg
import io
import warnings
from typing import TYPE_CHECKING

import joblib
from joblib.numpy_pickle import NumpyPickler
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.feature_extraction.text import CountVectorizer

from job.errors import IncompatibleModelError

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


class JoblibCodec:
    """Reads and writes `model.joblib`, whose bytes do not depend on memory addresses."""

    def encode(self, model: object) -> bytes:
        """Return the bytes of a model, which must not contain reference cycles."""
        stream = io.BytesIO()
        pickler = NumpyPickler(stream, protocol=5)
        # NOTE: pickle's memo depends on which equal strings happen to be the same object
        pickler.fast = True
        pickler.dispatch_table = {**copyreg.dispatch_table, CountVectorizer: _without_address}
        pickler.dump(model)
        return stream.getvalue()

    def decode(self, data: bytes) -> Pipeline:
        """Return the model from the bytes of a joblib file whose digest has been verified.

        Raises
        ------
        IncompatibleModelError
            Another version of scikit-learn wrote the model, or a class of the model is not
            installed.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("error", InconsistentVersionWarning)
            try:
                model: Pipeline = joblib.load(io.BytesIO(data))
                return model
            except InconsistentVersionWarning as error:
                raise IncompatibleModelError(
                    f"it was written by scikit-learn {error.original_sklearn_version}, but "
                    f"{error.current_sklearn_version} is installed",
                    hint="load it with the versions in its metadata.json",
                ) from None
            except (AttributeError, ImportError) as error:
                raise IncompatibleModelError(
                    f"it needs classes that are not installed ({error})",
                    hint="load it with the versions in its metadata.json",
                ) from None


def _without_address(vectorizer: CountVectorizer) -> tuple[object, ...]:
    """Return how to pickle a vectorizer, without `_stop_words_id`, which is a memory address."""
    function, arguments, state, *rest = vectorizer.__reduce_ex__(5)
    return function, arguments, {k: v for k, v in state.items() if k != "_stop_words_id"}, *rest
