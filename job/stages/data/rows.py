"""Make `Rows`: the valid rows of a table, with everything that later stages read.

How it works
------------
1. Two keys of each row are computed: rows with an equal text key are duplicates, and rows with an
   equal leakage key stay on one side of every split (`job.stages.data.leakage_keys`).
2. The feature blocks in use are selected.  Embeddings are not copied.
3. Templates are computed on request.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from job.contracts.arrays import Ints, Mask
from job.contracts.dataset import Dataset, Rows
from job.contracts.matrix_rows import MatrixRows
from job.stages.data.leakage_keys import make_keys
from job.stages.data.templates import make_templates


def make_rows(
    dataset: Dataset,
    is_sound: Mask,
    feature_blocks: tuple[str, ...],
    *,
    needs_templates: bool = False,
) -> Rows:
    """Return the valid rows, with their keys and only the feature blocks in use.

    Parameters
    ----------
    is_sound
        Mask of the rows to keep, shape (n_rows,).
    needs_templates
        Whether later stages need templates (texts with masked dates, ids and the like).  If the
        table has no text, no templates are computed.
    """
    index = np.flatnonzero(is_sound)
    text, target = dataset.strings("text"), dataset.strings("target")
    assert target is not None  # ingest requires it
    texts = None if text is None else np.array([t or "" for t in text[index]], dtype=object)
    text_keys, leakage_keys = make_keys(dataset, index)
    return Rows(
        y=target[index],
        leakage_keys=leakage_keys,
        text_keys=text_keys,
        text=texts if "text" in feature_blocks else None,
        embeddings=_select_embeddings(dataset, index, feature_blocks),
        frame=_select_metadata(dataset, index, feature_blocks),
        templates=None
        if texts is None or not needs_templates
        else make_templates(texts, text_keys),
        positions=index,
    )


def _select_embeddings(
    dataset: Dataset, index: Ints, feature_blocks: tuple[str, ...]
) -> MatrixRows | None:
    """Return the rows' embeddings; None if embeddings are not used, or the table lacks them."""
    if dataset.embeddings is None or "embeddings" not in feature_blocks:
        return None
    return MatrixRows(dataset.embeddings.matrix, index)


def _select_metadata(
    dataset: Dataset, index: Ints, feature_blocks: tuple[str, ...]
) -> pd.DataFrame:
    """Return the numeric, categorical and boolean columns that are used."""
    blocks = {"numeric", "categorical", "boolean"} & set(feature_blocks)
    columns = [c for c in dataset.columns if c.role in blocks]
    return pd.DataFrame({c.name: c.values[index] for c in columns}, index=range(len(index)))
