"""Names of a list in the texts of the real tables, by how many persons use them.

Names in the texts of at least five persons become terms of a text model, as every other word does.
The figures are in docs/limitations.md.
"""

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from support.names import FAMILY, FIRST

from benchmarks.real_table import read_table
from job.stages.data.templates import cut_at_slots

pytestmark = pytest.mark.data
LABELLED = ["expectations.suite=labelled_text"]
TABLES = {
    "upstream/curated_training_data.parquet": [],
    "banking77/train.csv": LABELLED,
    "privacyqa/train.csv": [*LABELLED, "dataset.columns.group=group_id"],
}
# few: names in the texts of one to four persons; many: of more
FEW = {
    "upstream/curated_training_data.parquet": {"alex", "john", "johnson", "smith"},
    "banking77/train.csv": {"young"},
    "privacyqa/train.csv": {"king", "price", "white"},
}
MANY = {
    "upstream/curated_training_data.parquet": {"doe", "garcia", "jane", "maria"},
    "banking77/train.csv": {"hill", "price"},
    "privacyqa/train.csv": set(),
}


@pytest.mark.parametrize("name", TABLES)
def test_names_by_the_number_of_persons(shared_data, name):
    """The upstream's names are placeholders; most of the others are ordinary words."""
    settings = ["features.use=[text]", "dataset.min_rows=1000", *TABLES[name]]
    _, _, rows = read_table(str(shared_data / name), settings)
    analyze, names = CountVectorizer().build_analyzer(), {*FIRST, *FAMILY}
    pairs = {
        (word, person)
        for person, text in zip(rows.persons.tolist(), rows.text, strict=True)
        for part in cut_at_slots(text)
        for word in names.intersection(analyze(part))
    }
    words, n_persons = np.unique([word for word, _ in pairs], return_counts=True)

    assert FEW[name] == set(words[n_persons < 5])
    assert MANY[name] == set(words[n_persons >= 5])
