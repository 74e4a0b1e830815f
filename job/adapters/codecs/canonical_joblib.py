"""joblib's format in a canonical form: equal models give equal bytes in any process."""

from __future__ import annotations

import io
import warnings
from typing import Any

import joblib
from joblib.numpy_pickle import NumpyPickler
from sklearn.exceptions import InconsistentVersionWarning

from job.errors import IntegrityError


class JoblibCodec:
    """Write without the pickler's memo, which depends on which equal strings are one object."""

    def encode(self, model: Any) -> bytes:
        """Write a model."""
        stream = io.BytesIO()
        pickler = NumpyPickler(stream, protocol=5)
        pickler.fast = True  # no memo; fitted pipelines hold no cycles
        pickler.dump(model)
        return stream.getvalue()

    def decode(self, data: bytes) -> Any:
        """Read a model whose digest has been verified.

        Raises
        ------
        IntegrityError
            It was written by another version of scikit-learn.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("error", InconsistentVersionWarning)
            try:
                return joblib.load(io.BytesIO(data))
            except InconsistentVersionWarning as error:
                raise IntegrityError(
                    "the model was written by scikit-learn "
                    f"{error.original_sklearn_version}, this is {error.current_sklearn_version}",
                    hint="load it with the versions in its metadata.json",
                ) from None
