"""metadata.json names the input of the model and the origin of its table."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd

from job.contracts.dataset import Dataset, Rows
from job.contracts.matrix_rows import MatrixRows
from job.contracts.provenance import Provenance
from job.stages.packaging.metadata import describe_dataset, describe_input

KEYS = np.array(["text:a", "text:b"], dtype=object)
ROWS = Rows(
    y=KEYS,
    leakage_keys=KEYS,
    text_keys=KEYS,
    text=KEYS,
    embeddings=MatrixRows(np.zeros((2, 3), np.float32), np.arange(2)),
    frame=pd.DataFrame({"plan": np.array(["x", "y"], dtype=object), "length": [1.0, 2.0]}),
)


def test_input_of_one_kind_has_no_names():
    """It is a matrix of any number of rows, or a list of texts."""
    embeddings, text = (describe_input(ROWS, (block,)) for block in ("embeddings", "text"))

    assert ("embeddings", (), ("float32",), (None, 3)) == (
        embeddings.kind,
        embeddings.names,
        embeddings.dtypes,
        embeddings.shape,
    )
    assert ("text", (), ("str",), (None,)) == (text.kind, text.names, text.dtypes, text.shape)


def test_input_of_several_kinds_is_a_dataframe():
    """Its columns are named, in order."""
    found = describe_input(ROWS, ("text", "categorical", "numeric"))

    assert ("dataframe", ("text", "plan", "length"), (None, 3)) == (
        found.kind,
        found.names,
        found.shape,
    )
    assert ("str", "str", "float32") == found.dtypes


def test_unknown_notes_of_the_exporter_are_counted_only():
    """Unknown notes may contain personal data."""
    provenance = Provenance(
        uri="t.csv",
        format="csv",
        n_bytes=1,
        modified_at=datetime(2026, 1, 1, tzinfo=UTC),
        file_digest=f"sha256:{'1' * 64}",
        content_digest=f"sha256:{'0' * 64}",
        metadata=(("seed", "3"), ("exported by", "somebody")),
    )
    found = describe_dataset(Dataset(n_rows=2, columns=(), embeddings=None, provenance=provenance))

    assert ({"seed": "3"}, 1) == (found.metadata, found.n_other_notes)
