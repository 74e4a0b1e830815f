"""Compute leakage keys: rows with the same key stay on one side of every split.

How it works
------------
1. A text is normalized: differences in Unicode form, case, punctuation and white space are removed.
2. A row's text key is its normalized text.  Without text, it is a digest of the row's embedding or,
   without embeddings, the values of the row's features.
3. A row's leakage key is its value in the group column.  If this value is missing, the leakage key
   is the row's text key.
4. Splits sort keys by salted digests.  A salted digest is a random number that depends only on the
   key and on a string, the salt.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

import numpy as np

from job.contracts.arrays import Array, Floats32, Ints, Strings
from job.contracts.dataset import Dataset

# fast path, as most texts are ASCII: only letters and digits are kept
_ASCII: Final = bytes(ord(chr(n).lower() if chr(n).isalnum() else " ") for n in range(128)).ljust(
    256
)


def normalize(text: str) -> str:
    """Return a text in NFKC, without case, punctuation and repeated white space.

    A text that consists only of punctuation stays unchanged.

    >>> normalize("  Delete MY\\taccount!! ")
    'delete my account'
    """
    if text.isascii():
        folded = text.encode().translate(_ASCII).decode()
    else:
        characters = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
        folded = "".join(" " if unicodedata.category(c)[0] in "PSZC" else c for c in characters)
    return " ".join(folded.split()) or text.strip()


def salted_digests(prefix: str, keys: Iterable[str], salt: str) -> Array:
    """Return the first 64 bits of SHA-256(salt, prefix, key) of each key, as uint64.

    With another `prefix`, the same key gets an independent digest."""
    start = f"{len(salt)}:{salt}{prefix}\0".encode()
    digests = (hashlib.sha256(start + key.encode("utf-8", "surrogatepass")) for key in keys)
    return np.array([int.from_bytes(d.digest()[:8], "big") for d in digests], np.uint64)


def make_keys(dataset: Dataset, index: Ints) -> tuple[Strings, Strings]:
    """Return the text keys and the leakage keys of the rows at these positions.

    The module docstring explains both kinds of keys.
    """
    text, group = dataset.strings("text"), dataset.strings("group")
    text_keys = _text_keys(
        None if text is None else text[index], _content_keys(dataset, index), len(index)
    )
    if group is None:
        return text_keys, text_keys
    pairs = zip(group[index], text_keys, strict=True)
    return text_keys, np.array([k if g is None else f"group:{g}" for g, k in pairs], dtype=object)


def _content_keys(dataset: Dataset, index: Ints) -> Callable[[int], str]:
    """Return a function that computes the text key of a row without text.

    The function takes a position in `index`.  It computes the key from the row's embedding or,
    without embeddings, from the row's features.
    """
    if dataset.embeddings is not None:
        matrix = dataset.embeddings.matrix
        return lambda row: f"embedding:{_digest_row(matrix[index[row]])}"
    features = [
        c.values[index] for c in dataset.columns if c.role in ("numeric", "categorical", "boolean")
    ]
    return lambda row: f"row:{'|'.join(str(values[row]) for values in features)}"


def _digest_row(values: Floats32) -> str:
    # 16 bytes, because a million of these keys may be in memory
    return hashlib.blake2b(values.tobytes(), digest_size=16).hexdigest()


def _text_keys(texts: Strings | None, content_key: Callable[[int], str], n_rows: int) -> Strings:
    keys = np.full(n_rows, "", dtype=object)
    if texts is not None:
        keys[:] = [normalize(text or "") for text in texts]
    has_text = keys != ""
    keys[has_text] = "text:" + keys[has_text]
    for row in np.flatnonzero(~has_text).tolist():
        keys[row] = content_key(row)
    return keys


def key_kind(keys: Iterable[str]) -> str:
    """Return the source of most keys: `text`, `embedding` or `row` (values of other features)."""
    kinds = Counter(key.partition(":")[0] for key in keys)
    return max(kinds, key=lambda kind: kinds[kind], default="row")
