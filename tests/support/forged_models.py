"""Forged files `model.joblib`, which run code, exhaust a limit, or are damaged."""

import io
import os
import pickle
import struct
import subprocess
from functools import partial, reduce

import joblib
import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer


class Call:
    """An object whose pickle calls a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


class Rest:
    """An object whose pickle instantiates a class, and then sets its state."""

    def __init__(self, kind, state, arguments=()):
        self.parts = kind, arguments, state

    def __reduce__(self):
        return self.parts


def dump(model, **options):
    """Return the joblib file of a model."""
    stream = io.BytesIO()
    joblib.dump(model, stream, **options)
    return stream.getvalue()


def make_runners(folder):
    """Return forged files by name that create `folder / NAME` if they are loaded and used."""
    touch = {name: f"touch '{folder / name}'" for name in RUNNERS}
    stored = folder / "stored.npy"
    np.save(stored, np.array([Call(os.system, touch["numpy.load"])]), allow_pickle=True)
    (folder / "please").write_text(f"#!/bin/sh\n{touch['a function that is stored']}\n")
    (folder / "please").chmod(0o755)
    shell = {"shell": True, "env": {"PATH": f"{folder}:{os.environ['PATH']}"}}
    models = {
        "os.system": Call(os.system, touch["os.system"]),
        "builtins.eval": Call(eval, f"open({str(folder / 'builtins.eval')!r}, 'w')"),
        "numpy.load": Call(np.load, str(stored), None, True),
        "functools.partial": Call(partial(os.system, touch["functools.partial"])),
        "a nested pickle": np.array([Call(os.system, touch["a nested pickle"])], dtype=object),
        "a function that is stored": finish(FunctionTransformer(subprocess.call, kw_args=shell)),
        "a class that is called": Call(FunctionTransformer, Call(os.system, touch[CALLED])),
        "a state": Rest(FunctionTransformer, {"func": Call(os.system, touch["a state"])}),
        "an item of a list": ["x", Call(os.system, touch["an item of a list"])],
    }
    files = {name: dump(model) for name, model in models.items()}
    files["a compressed file"] = dump(Call(os.system, touch["a compressed file"]), compress=3)
    command = touch["the first protocol"].encode()
    files["the first protocol"] = b"cos\nsystem\n(S" + repr(command.decode()).encode() + b"\ntR."
    return files


CALLED = "a class that is called"
RUNNERS = (
    *("os.system", "builtins.eval", "numpy.load", "functools.partial", "a nested pickle"),
    *("a function that is stored", CALLED, "a state", "an item of a list"),
    *("a compressed file", "the first protocol"),
)


def make_wide_array():
    """Return a file of an array that has a trillion numbers according to its shape."""
    data = dump(np.zeros(70_000))
    return data.replace(struct.pack("<i", 70_000), struct.pack("<i", 2**31 - 1))


def make_slow():
    """Return a model whose word pattern takes years to match a row."""
    vectorizer = CountVectorizer(
        vocabulary={"please": 0},
        token_pattern=r"(?:(?:(?:[a-z ]+)+)+)+[0-9]",
        dtype=np.float64,
    )
    return dump(finish(vectorizer))


def make_large():
    """Return a model that makes an array of .8 GB of each row."""
    return dump(finish(FunctionTransformer(np.asarray, kw_args={"dtype": "U200000000"})))


def make_laughs():
    """Return a small model whose kept list has ten billion items, because lists are shared."""
    laughs = reduce(lambda items, _: [items] * 10, range(10), [1.0])
    return dump(finish(FunctionTransformer(np.dot, kw_args={"b": laughs})))


def make_deep():
    """Return arrays of objects that are nested more deeply than the interpreter allows."""
    head = dump(np.array([None], dtype=object))
    start = head[: head.rindex(b"\x80\x05")]
    return start * 2000


def make_own_part():
    """Return a pipeline that contains itself."""
    model = Pipeline([("first", FunctionTransformer())])
    model.steps.append(("second", model))
    return dump(model)


def finish(first):
    """Return a pipeline of a first step and a fitted classifier."""
    classifier = LogisticRegression().fit(np.eye(2)[:, :1], ["a", "b"])
    return Pipeline([("preprocess", first), ("classifier", classifier)])


def dump_names(*names):
    """Return a pickle that only stores what these dotted names stand for."""
    parts = [pickle.PROTO, b"\x05", pickle.EMPTY_LIST]
    for name in names:
        module, _, attribute = name.rpartition(".")
        for word in (module, attribute):
            parts += [pickle.SHORT_BINUNICODE, bytes([len(word)]), word.encode()]
        parts += [pickle.STACK_GLOBAL, pickle.APPEND]
    return b"".join([*parts, pickle.STOP])
