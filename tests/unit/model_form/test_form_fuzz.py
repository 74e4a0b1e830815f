"""Seeded damages of models in their plain form: read and used, or refused; never another error."""

import copy
import random
import time

import numpy as np
import pandas as pd

from job.errors import IntegrityError
from job.model_form.encoding import encode_content
from job.model_form.model import PlainModel

N_CASES = 600
MAX_SECONDS = 10
HEAD = {"kind": "linear", "weights": np.ones((9, 3)), "intercept": np.zeros(3)}
PROTOTYPES = {
    "kind": "prototypes",
    "centers": np.ones((3, 4)),
    "row_weight": 1.0,
    "weights": np.ones((7, 3)),
    "intercept": np.zeros(3),
    "unit_rows": True,
}
PERCEPTRON = {
    "hidden_weights": np.ones((4, 5)),
    "hidden_intercept": np.zeros(5),
    "output_weights": np.ones((5, 3)),
    "output_intercept": np.zeros(3),
    "bound": 0.06,
    "steepness": 1e6,
}
TERMS = {
    "kind": "terms",
    "analyzer": "char_wb",
    "ngrams": [2, 5],
    "terms": np.frombuffer(b"ab\nbc\n a", np.uint8),
}
EMBEDDINGS = {
    "kind": "embeddings",
    "names": None,
    "n_given": 4,
    "columns": np.array([0, 1, 3]),
    "offset": np.zeros(3),
    "scale": np.ones(3),
    "unit_rows": True,
}
MATRIX = {"kind": "embeddings", "width": 4}
COMMON = {"format": "pcc-plain-model", "format_version": 1, "decision_threshold": 0.5}
FORMS = [
    {
        "input": {"kind": "dataframe", "names": ["text", "n", "is", "level"]},
        "blocks": [
            {**TERMS, "column": "text"},
            {"kind": "numeric", "names": ["n"], "offset": np.zeros(1), "scale": np.ones(1)},
            {"kind": "boolean", "names": ["is"], "fill": np.zeros(1)},
            {"kind": "categorical", "names": ["level"], "levels": [["x"]]},
        ],
        "head": HEAD,
    },
    {"input": MATRIX, "blocks": [EMBEDDINGS], "head": PROTOTYPES},
    {
        "input": MATRIX,
        "blocks": [EMBEDDINGS],
        "head": {
            "kind": "prototypes_with_perceptron",
            "prototypes": PROTOTYPES,
            "perceptron": PERCEPTRON,
        },
    },
]
LINKS = [
    {"kind": "softmax", "factor": 1.0},
    {"kind": "platt", "slope": -np.ones(3), "offset": np.zeros(3)},
]
TABLE = pd.DataFrame(
    {"text": ["abc", ""], "n": [1.0, np.nan], "is": [1.0, np.nan], "level": ["x", None]}
)
VALUES = (
    *(None, True, -1, 0, 1, 2**40, 2**70, 1e308, -1e308, "", "x" * 10_000, "ab", "\u0000"),
    *([], ["x"], [[1]], {}, {"kind": "linear"}, {"kind": 1}, "linear", "terms", "embeddings"),
)
ARRAYS = (
    *(np.zeros(0), np.zeros((0, 3)), np.ones(1), np.ones((3, 3)), np.full(3, 1e308)),
    *(np.full((9, 3), 1e308), np.full((3, 4), -1e308), np.full(3, np.nan), np.full(3, np.inf)),
    *(np.arange(3), np.arange(3) + 2**62, -np.arange(3), np.frombuffer(b"\xff\n\n", np.uint8)),
    *(np.ones((1, 100_000)), np.ones((100_000, 1)), np.frombuffer(b"", np.uint8)),
)


def list_places(content):
    """Return each object or list with each of its keys or positions, at any depth."""
    keys = content.keys() if isinstance(content, dict) else range(len(content))
    places = [(content, key) for key in keys]
    for parent, key in list(places):
        if isinstance(parent[key], (dict, list)):
            places += list_places(parent[key])
    return places


def damage(rng, content):
    """Replace, remove or move one value of the model."""
    parent, key = rng.choice(list_places(content))
    action = rng.randrange(5)
    if action == 0:
        parent[key] = rng.choice(VALUES)
    elif action == 1 and isinstance(parent, dict):
        parent[key] = rng.choice(ARRAYS)
    elif action == 2:
        del parent[key]
    elif action == 3:
        other, place = rng.choice(list_places(content))
        parent[key] = copy.deepcopy(other[place])
    elif isinstance(parent, list):
        parent.append(copy.deepcopy(parent[key]))
    else:
        parent[f"{key}x"] = parent[key]


def use(content):
    """Read the model and predict; return whether it was refused, or could not be written."""
    try:
        data = encode_content(content)
    except (KeyError, TypeError, ValueError):
        return True
    try:
        model = PlainModel.read(data, "v1/model.safetensors")
        is_table = model.form.input.kind == "dataframe"
        model.predict_proba(TABLE if is_table else np.ones((2, 4)))
    except IntegrityError:
        return True
    return False


def test_undamaged_forms_are_used():
    """The control: what is refused is refused for its damage."""
    refused = [
        use({**COMMON, "classes": list("abc"), **f, "link": k}) for f in FORMS for k in LINKS
    ]

    assert not any(refused)


def test_damaged_forms_are_refused_or_used():
    refused = []
    for seed in range(N_CASES):
        rng = random.Random(seed)
        form, link = rng.choice(FORMS), rng.choice(LINKS)
        content = copy.deepcopy({**COMMON, "classes": list("abc"), **form, "link": link})
        for _ in range(rng.randint(1, 3)):
            damage(rng, content)
        started = time.process_time()
        refused.append(use(content))
        assert time.process_time() - started < MAX_SECONDS, seed

    assert N_CASES / 2 < sum(refused) < N_CASES
