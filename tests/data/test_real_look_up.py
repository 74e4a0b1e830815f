"""No file of a version of a real table confirms a guess; the attack is in `support.look_up`."""

import io
import json

import numpy as np
import pandas as pd
import pytest
from support.look_up import (
    confirm,
    digest_in_all_ways,
    list_guesses,
    list_public_salts,
    read_numbers,
    read_published,
)
from support.settings import OPEN

from job.contracts.lineage_key import KEY_VARIABLE, LineageKey
from job.stages.data.leakage_keys import normalize, salted_digests
from job.stages.lineage.keyed_digests import keyed_digests

pytestmark = pytest.mark.data
KEY = LineageKey(bytes(range(60, 92)))
N_GUESSED = 300  # of the texts
TABLES = {
    "privacyqa": (
        "privacyqa/embedded_train.parquet",
        (
            "features.use=[embeddings, text]",
            "expectations.suite=labelled_embeddings",
            "dataset.columns.embeddings=embedding",
            "dataset.columns.group=group_id",
        ),
    ),
    "banking77": (
        "banking77/embedded_train.parquet",
        # the attack does not need a model that has seen the texts
        (
            "expectations.suite=labelled_embeddings",
            "dataset.columns.embeddings=embedding",
            "search.estimators={dummy: {}}",
        ),
    ),
    "upstream": ("upstream/curated_training_data_10000.parquet", ("features.use=[text]",)),
}
FAST = (
    OPEN,
    "dataset.min_rows=1000",
    "search.estimators={logistic_regression: {C: [1], max_iter: [50]}}",
    "evaluation.method=holdout",
    "evaluation.label_noise=false",
    "decision.target_precision=null",
)


@pytest.mark.parametrize("name", TABLES)
def test_no_published_file_confirms_a_guess(pcc_job, result_of, shared_data, tmp_path, name):
    """An attacker has a part of the texts; with unkeyed digests, or with the key, it is found."""
    path, settings = TABLES[name]
    options = [word for value in (*FAST, *settings) for word in ("--set", value)]
    where = ("--dataset", shared_data / path, "--store", "models")
    version = result_of(pcc_job("run", *where, *options, **{KEY_VARIABLE: KEY.to_text()}))[
        "version"
    ]
    store = tmp_path / "models"
    table = pd.read_parquet(shared_data / path)
    texts = table["text"].sample(frac=1, random_state=0).drop_duplicates().head(N_GUESSED)
    groups = table["group_id"].unique() if "group_id" in table else ()
    guesses = list_guesses(texts, groups)
    salts = list_public_salts(json.loads((store / version / "metadata.json").read_text()))
    ways = list(digest_in_all_ways(guesses, salts))
    numbers = read_numbers(read_published(store))

    assert len(guesses) * len(ways) * len(numbers) < 2**64 * 1e-4
    assert [] == confirm(guesses, ways, numbers)

    keys = sorted({f"text:{normalize(text)}" for text in texts})
    unkeyed = io.BytesIO()
    np.save(unkeyed, np.sort(salted_digests("trained", keys, "pcc")))
    assert keys == confirm(guesses, ways, read_numbers({"training_keys.npy": unkeyed.getvalue()}))

    lineage = read_numbers({"lineage": (store / f"lineage/{version}.npy").read_bytes()})
    assert [] == confirm(guesses, ways, lineage)
    found = {*confirm(guesses, [keyed_digests("row", guesses, KEY)], lineage)}
    assert 0.7 * len(keys) < len(found & {*keys})
    assert {f"group:{value}" for value in groups} <= found
