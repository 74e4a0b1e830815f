"""The accuracy of prototypes on real sentence embeddings."""

import numpy as np
import pandas as pd
import pytest

from job.stages.training.prototypes import Prototypes, RowGroups

pytestmark = pytest.mark.data


def test_prototypes_answer_short_questions(shared_data):
    """There are 77 classes of banking questions, with about 11 centers each."""
    train, test = (
        pd.read_parquet(shared_data / f"banking77/embedded_{side}.parquet")
        for side in ("train", "test")
    )
    X, X_test = (np.vstack(table["embedding"]).astype(np.float32) for table in (train, test))
    groups = RowGroups(group=np.arange(len(X)), min_groups=5)
    model = Prototypes(n_centers=20, temperature=0.05, random_state=0)
    model.fit(X, train["intent"].to_numpy(str), groups)

    assert (model.predict(X_test) == test["intent"]).mean() > 0.9
