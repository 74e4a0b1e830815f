"""Real tables: which consist of templates, and which have standardized embeddings."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from support.executors import InTurn
from support.rows import rows_of_embeddings, rows_of_texts

from job.contracts.settings.split import SplitSpec
from job.stages.data.templates import make_templates
from job.stages.evaluation.standardization import check_standardization
from job.stages.evaluation.wording import count_groups, measure_templates
from job.stages.evaluation.wording_similarity import measure_similarity
from job.stages.split.near_duplicates import choose_similarity_source, find_near_duplicate_groups

pytestmark = pytest.mark.data
TABLES = {
    "upstream": ("upstream/curated_training_data_10000.parquet", "embeddings", True),
    "upstream_2000": ("upstream/curated_training_data.parquet", "embeddings", True),
    "banking77": ("banking77/embedded_train.parquet", "embedding", False),
    "privacyqa": ("privacyqa/embedded_train.parquet", "embedding", False),
}


def read(folder, name):
    path, column, _ = TABLES[name]
    table = pd.read_parquet(folder / path)
    texts = table["text"].to_numpy(object)
    rows = rows_of_texts(texts, y=table["intent"])
    rows = replace(
        rows, near_duplicate_groups=None, templates=make_templates(texts, rows.text_keys)
    )
    return (
        table,
        _numbered(rows),
        _numbered(rows_of_embeddings(np.stack(table[column]), y=table["intent"])),
    )


def _numbered(rows):
    spec, rows = SplitSpec(), replace(rows, near_duplicate_groups=None)
    return find_near_duplicate_groups([rows], spec, choose_similarity_source(rows, spec), InTurn())[
        0
    ]


@pytest.mark.parametrize("name", TABLES)
def test_templates_and_standardization_are_told_from_texts_of_people(shared_data, name):
    """By texts and by embeddings; half of the groups is enough to detect standardization."""
    is_made = TABLES[name][2]
    _, texts, embeddings = read(shared_data, name)
    groups = np.unique(texts.near_duplicate_groups)
    rng = np.random.default_rng(0)
    half = np.isin(texts.near_duplicate_groups, rng.choice(groups, len(groups) // 2, replace=False))
    X = embeddings.embeddings.read()
    unit = rows_of_embeddings(X / np.linalg.norm(X, axis=1, keepdims=True)).embeddings
    parts = embeddings.embeddings, embeddings.embeddings.take(half)

    assert [is_made] * 2 == [measure_templates(rows).is_templated for rows in (texts, embeddings)]
    assert [is_made] * 2 == [check_standardization(some, 0).is_standardized for some in parts]
    assert not check_standardization(unit, 0).is_standardized


def test_upstream_is_worth_69_groups(shared_data):
    _, texts, _ = read(shared_data, "upstream")
    found = count_groups(texts.groups)

    assert (10_000, 264, 69) == (found.n_rows, found.n_groups, round(found.n_effective_groups))
    assert 1636 == len(set(texts.text_keys))


def test_requests_in_other_words_are_less_similar_than_held_out_ones(shared_data):
    """90 % of them are near or below the limit of new wording; 10 % of held-out rows are."""
    _, texts, _ = read(shared_data, "upstream")
    challenge = rows_of_texts(pd.read_parquet(shared_data / "upstream/challenge.parquet")["text"])
    fold = np.random.default_rng(0).integers(0, 5, texts.near_duplicate_groups.max() + 1)[
        texts.near_duplicate_groups
    ]
    folds = [(np.flatnonzero(fold == n), texts.take(fold != n)) for n in range(5)]
    new = measure_similarity(challenge, [(np.arange(len(challenge)), texts)], 0).values
    own = measure_similarity(texts, folds, 0).values

    assert np.quantile(new, 0.9) < 0.45 < np.quantile(own, 0.1) + 0.1
    assert np.median(new) + 0.25 < np.median(own)
