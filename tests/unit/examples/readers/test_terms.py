"""Both readers split and weigh texts as scikit-learn does."""

import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.pipeline import make_pipeline
from support.hard_texts import HARD_TEXTS
from support.readers import (
    join_terms,
    load_python_reader,
    predict_with_javascript,
    predict_with_python,
    write_model,
)

pytestmark = pytest.mark.filterwarnings("ignore:Upper case characters")  # some have no lower case
NGRAMS = {"word": (1, 2), "char_wb": (2, 5)}
ANALYZERS = [*NGRAMS.items(), ("word", (2, 3)), ("char_wb", (1, 1)), ("char_wb", (4, 6))]
READER = load_python_reader()
PREDICTORS = {"python": predict_with_python, "javascript": predict_with_javascript}


def make_terms(analyzer, ngrams, terms, column=None):
    """Return a block of these terms."""
    return {
        "kind": "terms",
        "column": column,
        "analyzer": analyzer,
        "ngrams": list(ngrams),
        "terms": join_terms(terms),
    }


def make_pipeline_of(analyzer, ngrams, vocabulary=None):
    """Return scikit-learn's steps of a block."""
    return make_pipeline(
        CountVectorizer(analyzer=analyzer, ngram_range=ngrams, vocabulary=vocabulary),
        TfidfTransformer(use_idf=False, sublinear_tf=True),
    )


def write_terms_model(path, texts):
    """Write a model with two blocks; return the probabilities that scikit-learn computes.

    The model knows every other term of the texts.
    """
    rng, blocks, features = np.random.default_rng(0), [], []
    for analyzer, ngrams in NGRAMS.items():
        pipeline = make_pipeline_of(analyzer, ngrams)
        terms = pipeline.fit(texts)[0].get_feature_names_out()[::2]
        blocks.append(make_terms(analyzer, ngrams, terms))
        features.append(make_pipeline_of(analyzer, ngrams, terms).fit([""]).transform(texts))
    weights = rng.normal(size=(sum(part.shape[1] for part in features), 3))
    n_words = features[0].shape[1]
    intercept = rng.normal(size=3)
    write_model(
        path,
        blocks=blocks,
        head={"kind": "linear", "weights": weights, "intercept": intercept},
        link={"kind": "softmax", "factor": 1.7},
        input={"kind": "text"},
    )
    scores = features[0] @ weights[:n_words] + features[1] @ weights[n_words:] + intercept
    return softmax(1.7 * scores, axis=1)


@pytest.fixture(scope="module")
def hard_model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    return path, write_terms_model(path, HARD_TEXTS)


@pytest.mark.parametrize("reader", PREDICTORS)
def test_hard_texts_get_the_probabilities_of_scikit_learn(hard_model, reader):
    """Letter case, white space, combining marks and long texts are treated alike."""
    path, expected = hard_model

    proba = PREDICTORS[reader](path, HARD_TEXTS)

    np.testing.assert_allclose(proba, expected, rtol=0, atol=1e-12)


def test_one_text_alone_gets_the_same_probabilities(hard_model):
    """The other rows of a call have no influence."""
    path, _ = hard_model
    model = READER.load(path)

    alone = np.vstack([model.predict_proba([text]) for text in HARD_TEXTS])

    assert np.array_equal(model.predict_proba(HARD_TEXTS), alone)


def draw_characters(rng, n):
    """Return characters that Python knows; newer versions of Unicode have more."""
    drawn = map(chr, rng.integers(0, 0x30000, 4 * n))
    known = [c for c in drawn if unicodedata.category(c) not in ("Cn", "Cs", "Co")]
    return np.array(known[:n])


def test_random_characters_get_the_same_probabilities_in_javascript(tmp_path):
    """Both languages have the same letters, lower case and white space.

    Two letters changed between versions 14 and 17 of Unicode, which matters beside a sigma only.
    """
    rng = np.random.default_rng(1)
    characters = draw_characters(rng, 10_000)
    characters = characters[~np.isin(characters, ["\u0295", "\U0001171e"])]
    frequent = np.array(list(" \u2028\u0085.'aAΣ\u03c3İ\u0301\u200d\ufeff_1"))
    texts = [
        "".join(rng.permutation([*rng.choice(characters, 40), *rng.choice(frequent, 40)]))
        for _ in range(400)
    ]
    path = tmp_path / "model.safetensors"
    expected = write_terms_model(path, texts)

    np.testing.assert_allclose(predict_with_python(path, texts), expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(predict_with_javascript(path, texts), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("analyzer", "ngrams"), ANALYZERS)
@settings(max_examples=100, deadline=None)
@given(text=st.text(st.characters() | st.sampled_from(" \u2028\u001caAΣİ_1'\u0301"), max_size=40))
def test_any_text_has_the_terms_of_scikit_learn(analyzer, ngrams, text):
    """The rules that the specification states are those of `CountVectorizer`."""
    split = {"word": READER.split_words, "char_wb": READER.split_characters}[analyzer]
    analyze = CountVectorizer(analyzer=analyzer, ngram_range=ngrams).build_analyzer()

    assert sorted(analyze(text)) == sorted(split(text.lower(), *ngrams))
