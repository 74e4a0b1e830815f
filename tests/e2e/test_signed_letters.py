"""What only one person wrote is in no published file, whatever number of letters the person sent."""

import io

import joblib
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from support.signed_letters import NAME, write_letters

BRANCH = "zq-branch"  # a category of the person's rows alone
SETTINGS = {
    "features.use": "[text, categorical]",
    "dataset.columns.categorical": "[source]",
    "evaluation.min_slice_rows": "10",
}


def add_letters(table, letters):
    """Return the table and one row for each letter."""
    frame = table.to_pandas()
    more = frame.iloc[: len(letters)].assign(text=letters, source=BRANCH)
    frame = frame.assign(source=np.array(["web", "app"])[np.arange(len(frame)) % 2])
    return pa.Table.from_pandas(
        pa.concat_tables(
            [pa.Table.from_pandas(f, preserve_index=False) for f in (frame, more)]
        ).to_pandas(),
        preserve_index=False,
    )


def list_terms(step):
    """Return the terms of all vectorizers of a model."""
    if isinstance(step, CountVectorizer):
        return set(step.vocabulary)
    steps = [*getattr(step, "steps", []), *getattr(step, "transformer_list", [])]
    steps += getattr(step, "transformers_", [])
    return set().union(*(list_terms(part[1]) for part in steps))


def own_terms(letters, others):
    """Return the terms of at least four characters that are in the letters alone."""
    found = []
    for texts in (letters, others):
        analyzers = [
            CountVectorizer(analyzer=name, ngram_range=sizes).build_analyzer()
            for name, sizes in (("word", (1, 2)), ("char_wb", (4, 5)))
        ]
        found.append({term for text in texts for analyze in analyzers for term in analyze(text)})
    return {term for term in found[0] - found[1] if len(term) >= 4}


@pytest.mark.parametrize("has_contact", [True, False])
def test_terms_of_one_person_are_published_only_if_nothing_joins_the_letters(
    train, table, tmp_path, has_contact
):
    """Without contact data nothing shows that the letters are of one person (docs/limitations.md)."""
    letters = write_letters(has_contact)
    pq.write_table(add_letters(table, letters), tmp_path / "curated.parquet")
    asked = [part for key, value in SETTINGS.items() for part in ("--set", f"{key}={value}")]
    done = train("curated.parquet", *asked)

    assert 0 == done.returncode, done.stderr
    files = [path for path in (tmp_path / "models").rglob("*") if path.is_file()]
    (model,) = [path.read_bytes() for path in files if path.name == "model.joblib"]
    terms = list_terms(joblib.load(io.BytesIO(model)))
    own = terms & own_terms(letters, table["text"].to_pylist())
    with_branch = [path.name for path in files if BRANCH.encode() in path.read_bytes()]
    if has_contact:
        assert (set(), []) == (own, with_branch)
    else:
        assert set(NAME.casefold().split()) <= own
        assert "evaluation.json" in with_branch
        assert any(name.endswith(".profile.json") for name in with_branch)
    assert not [t for t in terms if "@" in t or "://" in t or sum(c.isdigit() for c in t) > 2]
