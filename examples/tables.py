"""Write small synthetic tables into `data/`, to try the examples: `python examples/tables.py`."""

import subprocess
import sys
from pathlib import Path

import pandas as pd

FOLDER = Path("data")
N_ROWS, N_TRAINING_ROWS = 900, 700


def main() -> None:
    """Write a table in the upstream's format, and from it one for each of the other examples."""
    upstream = FOLDER / "upstream.parquet"
    command = [sys.executable, "-m", "job", "sample-data", str(upstream), "--rows", str(N_ROWS)]
    subprocess.run(command, check=True)  # noqa: S603  # fixed words
    table = pd.read_parquet(upstream)

    texts = table[["text", "intent"]].rename(columns={"text": "comment", "intent": "label"})
    texts.to_csv(FOLDER / "comments.csv", index=False)
    texts[:N_TRAINING_ROWS].to_csv(FOLDER / "train.csv", index=False)
    texts[N_TRAINING_ROWS:].to_csv(FOLDER / "test.csv", index=False)

    vectors = table[["embeddings", "intent"]]
    vectors = vectors.rename(columns={"embeddings": "vec", "intent": "category"})
    vectors.to_parquet(FOLDER / "vectors.parquet")


if __name__ == "__main__":
    main()
