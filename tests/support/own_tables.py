"""Tables that are not the upstream's, as people have them."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from support.small_runs import write_letters

SECRET = "zq-secret-cell"


def _letters(n_rows):
    table = write_letters(n_rows, seed=5)
    return table["text"], table["intent"], np.stack(table["embeddings"])


def comment_label(folder, n_rows=240):
    text, label, _ = _letters(n_rows)
    path = folder / "feedback.csv"
    pd.DataFrame({"comment": text, "label": label}).to_csv(path, index=False)
    return path


def utterance_category_created(folder, n_rows=240):
    text, label, _ = _letters(n_rows)
    created = pd.date_range("2026-01-01", periods=n_rows, freq="h").strftime("%Y-%m-%d %H:%M")
    path = folder / "utterances.csv.gz"
    table = pd.DataFrame({"utterance": text, "category": label, "created": created})
    table.to_csv(path, index=False)
    return path


def parquet_vectors(folder, n_rows=240):
    _, label, X = _letters(n_rows)
    path = folder / "vectors.parquet"
    pd.DataFrame({"vec": list(X), "topic": label}).to_parquet(path)
    return path


def semicolons(folder, n_rows=240):
    text, label, _ = _letters(n_rows)
    path = folder / "semicolons.csv"
    pd.DataFrame({"message": text, "class": label}).to_csv(path, index=False, sep=";")
    return path


def tabs(folder, n_rows=240):
    text, label, _ = _letters(n_rows)
    path = folder / "tabs.tsv"
    pd.DataFrame({"question": text, "intent_name": label}).to_csv(path, index=False, sep="\t")
    return path


def wide(folder, n_rows=240):
    _, label, X = _letters(n_rows)
    rng = np.random.default_rng(1)
    X = np.hstack([X, rng.standard_normal((n_rows, 376))])
    table = pd.DataFrame(X, columns=[f"e{n}" for n in range(384)])
    table.insert(0, "label", label)
    path = folder / "wide.csv"
    table.to_csv(path, index=False, float_format="%.4f")
    return path


def utf16(folder, n_rows=240):
    text, label, _ = _letters(n_rows)
    path = folder / "exported.csv"
    table = pd.DataFrame({"body": text, "queue": label})
    table.to_csv(path, index=False, encoding="utf-16")
    return path


def other_writer(folder, n_rows=240):
    """Parquet with large strings, a dictionary of labels and zstd, in two row groups."""
    text, label, _ = _letters(n_rows)
    path = folder / "written.parquet"
    table = pa.table(
        {
            "document": pa.array(text, pa.large_string()),
            "tag": pa.array(label).dictionary_encode(),
            "user_id": pa.array([f"u{n % 90}" for n in range(n_rows)]),
        }
    )
    pq.write_table(table, path, compression="zstd", version="1.0", row_group_size=150)
    return path


EIGHT = (
    comment_label,
    utterance_category_created,
    parquet_vectors,
    semicolons,
    tabs,
    wide,
    utf16,
    other_writer,
)
