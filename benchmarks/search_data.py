"""Rows for the search benchmark: generated embeddings or texts, or a real data set."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from job.contracts.dataset import Rows
from job.contracts.matrix_rows import MatrixRows
from job.stages.data.leakage_keys import normalize

N_CLASSES = 12


def generate_embeddings(n_rows: int, width: int = 384) -> dict[str, Any]:
    """Draw embeddings with decaying variances, like sentence embeddings; 5 % are mislabeled."""
    rng = np.random.default_rng(0)
    scales = 1 / np.sqrt(1 + np.arange(width))
    rotation = np.linalg.qr(rng.standard_normal((width, width)))[0]
    centers = 0.3 * rng.standard_normal((N_CLASSES, width)) * scales
    labels = rng.integers(0, N_CLASSES, n_rows)
    X = np.empty((n_rows, width), np.float32)
    for start in range(0, n_rows, 50_000):
        block = labels[start : start + 50_000]
        X[start : start + 50_000] = (
            centers[block] + rng.standard_normal((len(block), width)) * scales
        ) @ rotation
    return {"X": X, "y": _mislabel(rng, labels)}


def generate_texts(n_rows: int, n_words: int = 30_000, length: int = 15) -> dict[str, Any]:
    """Draw texts of Zipf-distributed words, some specific to the class; 5 % are mislabeled."""
    rng = np.random.default_rng(0)
    share = 1 / np.arange(1, n_words + 1) ** 0.9
    drawn = rng.choice(n_words, (n_rows, length), p=share / share.sum())
    labels = rng.integers(0, N_CLASSES, n_rows)
    class_words = np.array([rng.permutation(n_words) for _ in range(N_CLASSES)])
    is_class_word = rng.random(drawn.shape) < 0.12
    drawn = np.where(is_class_word, class_words[labels[:, None], drawn], drawn)
    # without digits, because tokens with digits do not become terms
    digits = str.maketrans("0123456789", "abcdefghij")
    words = np.array([f"w{n}".translate(digits) for n in range(n_words)], dtype=object)
    texts = [" ".join(row) for row in words[drawn]]
    return {"text": np.array(texts, dtype=object), "y": _mislabel(rng, labels)}


def _mislabel(rng: np.random.Generator, labels: Any) -> Any:
    is_wrong = rng.random(len(labels)) < 0.05
    return np.where(is_wrong, rng.integers(0, N_CLASSES, len(labels)), labels)


def write_data(options: argparse.Namespace, folder: Path) -> None:
    """Write the train and test rows, one .npy file per column, for all contenders."""
    if options.table in ("embeddings", "texts"):
        make = generate_embeddings if options.table == "embeddings" else generate_texts
        columns = make(options.rows)
        n_test = options.rows // 5
        sides = {
            "test": {name: values[:n_test] for name, values in columns.items()},
            "train": {name: values[n_test:] for name, values in columns.items()},
        }
    else:
        sides = {side: _read_real(options, side) for side in ("train", "test")}
    for side, columns in sides.items():
        for name, values in columns.items():
            np.save(folder / f"{side}_{name}.npy", values, allow_pickle=True)


def _read_real(options: argparse.Namespace, side: str) -> dict[str, Any]:
    table = pd.read_parquet(Path(options.data) / options.table / f"embedded_{side}.parquet")
    columns = {"X": np.array(table["embedding"].tolist(), np.float32)}
    columns |= {"text": table["text"].to_numpy(object), "y": table["intent"].to_numpy(object)}
    if "group_id" in table:
        columns["group"] = table["group_id"].astype(str).to_numpy(object)
    return columns


def read_rows(folder: Path, side: str) -> Rows:
    columns = {
        name: np.load(path, allow_pickle=True)
        for name in ("X", "text", "y", "group")
        if (path := folder / f"{side}_{name}.npy").exists()
    }
    n = len(columns["y"])
    text = columns.get("text")
    keys = columns.get("group")
    if keys is None:
        keys = [normalize(t) for t in text] if text is not None else [str(i) for i in range(n)]
    X = columns.get("X")
    return Rows(
        y=columns["y"].astype(str).astype(object),
        leakage_keys=np.array(keys, dtype=object),
        text_keys=np.array(keys, dtype=object),
        text=text,
        embeddings=None if X is None else MatrixRows(X, np.arange(n)),
        frame=pd.DataFrame(index=range(n)),
    )
