"""Write joblib files in a canonical form: equal models give equal bytes."""

from __future__ import annotations

import copyreg
import io

from joblib.numpy_pickle import NumpyPickler
from sklearn.feature_extraction.text import CountVectorizer


class JoblibCodec:
    """Writes `model.joblib`, whose bytes do not depend on memory addresses."""

    def encode(self, model: object) -> bytes:
        """Return the bytes of a model, which must not contain reference cycles."""
        stream = io.BytesIO()
        pickler = NumpyPickler(stream, protocol=5)
        # NOTE: pickle's memo depends on which equal strings happen to be the same object
        pickler.fast = True
        pickler.dispatch_table = {**copyreg.dispatch_table, CountVectorizer: _without_address}
        pickler.dump(model)
        return stream.getvalue()


def _without_address(vectorizer: CountVectorizer) -> tuple[object, ...]:
    """Return how to pickle a vectorizer, without `_stop_words_id`, which is a memory address."""
    function, arguments, state, *rest = vectorizer.__reduce_ex__(5)
    return function, arguments, {k: v for k, v in state.items() if k != "_stop_words_id"}, *rest
