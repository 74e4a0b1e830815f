"""Read a published model, `model.safetensors`, with NumPy and the standard library only.

    model = load("model.safetensors")
    model.predict_proba(["Please delete my account"])  # shape (n_rows, n_classes)

    python pcc_model.py model.safetensors < rows.json

`docs/model-format.md` of pcc-training-job specifies the file.
"""

import json
import re
import sys
from collections import Counter
from itertools import chain
from numbers import Real
from pathlib import Path

import numpy as np

TYPES = {"F64": "<f8", "I64": "<i8", "U8": "u1"}
KINDS = {
    *("terms", "embeddings", "numeric", "boolean", "categorical"),  # blocks
    *("linear", "constant", "prototypes", "prototypes_with_perceptron"),  # heads
    *("softmax", "sigmoid", "platt", "identity"),  # links
}
WORD = re.compile(r"\w\w+")


def load(file):
    """Return the model in a file; `file` is a path, or the bytes of the file.

    Raise `ValueError` if this reader cannot read it.
    """
    data = file if isinstance(file, bytes | bytearray) else Path(file).read_bytes()
    try:
        return Model(read_content(memoryview(data)))
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise ValueError(f"not a model file of format version 1: {error!r}") from error


def read_content(data):
    """Return the object that describes the model, with its arrays."""
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(bytes(data[8:start]))
    model = json.loads(header.pop("__metadata__")["model"])
    if (model["format"], model["format_version"]) != ("pcc-plain-model", 1):
        raise ValueError("unknown format or version of the format")
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        array = np.frombuffer(data[start + begin : start + end], TYPES[entry["dtype"]])
        if not np.isfinite(array).all():
            raise ValueError(f"the array '{name}' has a number that is not finite")
        *parents, last = name.split("/")
        part = model
        for key in parents:
            part = part[int(key) if isinstance(part, list) else key]
        part[last] = array.reshape(entry["shape"])
    return model


class Model:
    """A classifier; its probabilities have the order of `classes`."""

    def __init__(self, model):
        self.classes, self.decision_threshold = model["classes"], model["decision_threshold"]
        self._blocks, self._head, self._link = model["blocks"], model["head"], model["link"]
        for part in (*self._blocks, self._head, self._link):
            if part["kind"] not in KINDS:
                raise ValueError(f"unknown kind '{part['kind']}'")
            if part["kind"] == "terms":
                terms = part["terms"].tobytes().decode().split("\n")
                part["positions"] = {term: n for n, term in enumerate(terms)}

    def predict_proba(self, rows):
        """Return probabilities, shape (n_rows, n_classes).

        Rows are texts, embeddings of shape (n_rows, width), or dicts by column name.
        Raise `ValueError` for rows that the model does not take.
        """
        if isinstance(rows, str | bytes | dict):
            raise ValueError("expected a list of rows, not one row")
        if self._head["kind"] == "constant":
            return np.tile(self._head["probabilities"], (len(rows), 1))
        try:
            features = [compute_features(block, rows) for block in self._blocks]
        except KeyError as error:
            raise ValueError(f"a row has no column {error}") from error
        except (AttributeError, IndexError, OverflowError, TypeError) as error:
            raise ValueError(f"a row has a wrong type: {error}") from error
        proba = apply_link(self._link, compute_scores(self._head, features))
        if not np.isfinite(proba).all():
            raise ValueError("the numbers of a row are too large")
        return proba


def compute_features(block, rows):
    """Return the features of one block, shape (n_rows, width)."""
    kind, names = block["kind"], block.get("names")
    if kind == "terms":
        return TermWeights(block, rows)
    if kind == "categorical":
        columns = [[row[name] for row in rows] for name in names]
        return np.hstack(list(map(mark_levels, block["levels"], columns)))
    x = read_numbers(rows, names, block["n_given"] if kind == "embeddings" else len(names))
    if kind == "embeddings":
        return map_embeddings(block, x)
    is_missing = np.isnan(x)
    if kind == "boolean":
        if not (is_missing | (x == 0) | (x == 1)).all():
            raise ValueError("expected true, false, 1, 0 or null in a column of booleans")
        return np.hstack([np.where(is_missing, block["fill"], x), is_missing])
    y = np.arcsinh(block["offset"] + block["scale"] * x)
    return np.hstack([np.where(is_missing, 0, y), is_missing])


def read_numbers(rows, names, width):
    """Return numbers, shape (n_rows, width); None becomes NaN."""
    cells = rows if names is None else [list(map(row.__getitem__, names)) for row in rows]
    if not (isinstance(cells, np.ndarray) and cells.ndim == 2 and cells.dtype.kind in "fiu"):
        for found in set(map(type, chain.from_iterable(cells))):
            if not issubclass(found, (Real, np.bool_, type(None))):
                raise ValueError(f"expected a number, true, false or null, not {found.__name__}")
    if set(map(len, cells)) - {width}:
        raise ValueError(f"expected an embedding of {width} numbers")
    x = np.asarray(cells, np.float64).reshape(-1, width)
    if np.isinf(x).any():
        raise ValueError("a number is infinite")
    return x


def map_embeddings(block, x):
    """Return chosen columns of embeddings, mapped and scaled."""
    if np.isnan(x).any():
        raise ValueError("a number of an embedding is missing")
    if block.get("columns") is not None:
        x = x[:, block["columns"]]
    if block.get("offset") is not None:
        x = block["offset"] + block["scale"] * x
    return scale_rows(x) if block["unit_rows"] else x


def mark_levels(levels, values):
    """Return a column for each level, and one for all other values."""
    values = ["__none__" if v is None or v != v else v for v in values]
    if not all(isinstance(v, str) for v in values):
        raise ValueError("expected a string or null in a column of categories")
    index = [levels.index(v) if v in levels else len(levels) for v in values]
    return np.eye(len(levels) + 1)[index]


class TermWeights:
    """Features that are mostly 0: for each row, the positions and values of the others."""

    def __init__(self, block, rows):
        column, self.shape = block["column"], (len(rows), len(block["positions"]))
        self._rows = [weigh_terms(block, row if column is None else row[column]) for row in rows]

    def __matmul__(self, weights):
        products = [values @ weights[positions] for positions, values in self._rows]
        return np.array(products).reshape(-1, weights.shape[1])


def weigh_terms(block, text):
    """Return the positions and weights of the known terms of a text."""
    if not isinstance(text, str):
        raise ValueError(f"expected a text, not {type(text).__name__}")
    split = split_words if block["analyzer"] == "word" else split_characters
    counts = Counter(map(block["positions"].get, split(text.lower(), *block["ngrams"])))
    counts.pop(None, None)  # unknown terms
    values = 1 + np.log(np.fromiter(counts.values(), float, len(counts)))
    return np.fromiter(counts, int, len(counts)), values / (np.sqrt(values @ values) or 1)


def split_words(text, low, high):
    """Return the sequences of `low` to `high` adjacent words."""
    words = WORD.findall(text)
    return [
        " ".join(words[i : i + n]) for n in range(low, high + 1) for i in range(len(words) - n + 1)
    ]


def split_characters(text, low, high):
    """Return the sequences of `low` to `high` adjacent characters of words; short words once."""
    return [
        word[i : i + n]
        for word in map(" {} ".format, text.split())
        for n in range(low, min(high, max(low, len(word))) + 1)
        for i in range(max(len(word) - n, 0) + 1)
    ]


def compute_scores(head, features):
    """Return the scores of rows, given the features of each block, shape (n_rows, n_scores)."""
    if head["kind"] == "linear":
        if sum(part.shape[1] for part in features) != len(head["weights"]):
            raise ValueError("the parts of the model do not fit")
        scores, start = head["intercept"], 0
        for part in features:
            end = start + part.shape[1]
            scores, start = scores + part @ head["weights"][start:end], end
        return scores
    x = np.hstack(features)
    if head["kind"] == "prototypes":
        return score_shares(head, x)
    p, q = head["perceptron"], np.square(x).sum(axis=1, keepdims=True) - 1
    near = score_shares(head["prototypes"], x)
    hidden = np.maximum(np.hstack([x, q]) @ p["hidden_weights"] + p["hidden_intercept"], 0)
    far = hidden @ p["output_weights"] + p["output_intercept"]
    beyond = p["steepness"] * (np.abs(q) - p["bound"])
    return shrink(near, np.maximum(beyond, 0)) + shrink(far, np.maximum(-beyond, 0))


def score_shares(head, x):
    """Return the scores of the prototypes."""
    x = scale_rows(x) if head["unit_rows"] else x
    shares = softmax(x @ head["centers"])
    return np.hstack([shares, head["row_weight"] * x]) @ head["weights"] + head["intercept"]


def shrink(scores, distance):
    """Move scores towards 0 by a distance, but not beyond 0."""
    return np.sign(scores) * np.maximum(np.abs(scores) - distance, 0)


def scale_rows(x):
    """Divide rows by their lengths, unless they are almost 0."""
    lengths = np.sqrt((x * x).sum(axis=1, keepdims=True))
    lengths[lengths < 10 * 2**-52] = 1
    return x / lengths


def softmax(x):
    """Return exponentials, divided by their sum in each row."""
    exponentials = np.exp(x - x.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def apply_link(link, scores):
    """Return the probabilities of the classes, shape (n_rows, n_classes)."""
    if link["kind"] == "softmax":
        return softmax(link["factor"] * scores)
    is_platt = link["kind"] == "platt"
    z = link["slope"] * scores + link["offset"] if is_platt else -link["factor"] * scores
    with np.errstate(over="ignore"):  # 1 / (1 + infinity) is 0
        q = 1 / (1 + np.exp(z))
    if q.shape[1] == 1:
        return np.hstack([1 - q, q])
    q = np.where(q.any(axis=1, keepdims=True), q, 1)
    return q / q.sum(axis=1, keepdims=True)


def main():
    """Print the probabilities of the rows in standard input, a JSON object for each row."""
    if len(sys.argv) != 2:
        sys.exit("usage: python pcc_model.py model.safetensors < rows.json")
    try:
        model = load(sys.argv[1])
        proba = model.predict_proba(json.load(sys.stdin.buffer))
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")
    for row in proba.tolist():
        print(json.dumps(dict(zip(model.classes, row, strict=True))))


if __name__ == "__main__":
    main()
