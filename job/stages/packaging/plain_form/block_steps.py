"""Describe the fitted preprocessing of a model as feature blocks.

The steps are those that `job.stages.features.preprocessing` and `term_counts` build, after the
standardization was folded into the coefficients.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.polynomial.polynomial import polyval
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import Normalizer, OneHotEncoder

from job.contracts.reports.metadata import ModelInput
from job.model_form.block_forms import (
    Block,
    BooleanBlock,
    CategoricalBlock,
    EmbeddingBlock,
    NumericBlock,
    TermBlock,
)
from job.stages.packaging.plain_form.steps import calls, read_line, refuse


def describe_blocks(preprocess: Any, model_input: ModelInput) -> tuple[Block, ...]:
    """Return the blocks of a fitted preprocessing, in the order of their columns.

    Raises
    ------
    TrainingError
        A step has no plain form.
    """
    if isinstance(preprocess, FeatureUnion):
        return _describe_terms(preprocess, None)
    if isinstance(preprocess, Pipeline):
        return (_describe_embeddings(preprocess, None, model_input.shape[1] or 0),)
    if not isinstance(preprocess, ColumnTransformer) or preprocess.transformer_weights:
        refuse(preprocess)
    blocks: list[Block] = []
    for name, part, columns in preprocess.transformers_:
        if name == "text":
            blocks += _describe_terms(part, columns)
        elif name == "embeddings":
            blocks.append(_describe_embeddings(part, tuple(columns), len(columns)))
        elif name == "numeric":
            blocks.append(_describe_numbers(part, tuple(columns)))
        elif name == "boolean":
            blocks.append(_describe_booleans(part, tuple(columns)))
        elif name == "categorical":
            blocks.append(_describe_categories(part, tuple(columns)))
        elif part != "drop":
            refuse(part)
    return tuple(blocks)


def _describe_terms(union: Any, column: str | None) -> tuple[TermBlock, ...]:
    """Return one block for each analyzer."""
    if not isinstance(union, FeatureUnion) or union.transformer_weights:
        refuse(union)
    return tuple(_describe_analyzer(part, column) for _, part in union.transformer_list)


def _describe_analyzer(part: Any, column: str | None) -> TermBlock:
    counter, weights = (step for _, step in part.steps)
    if not isinstance(counter, CountVectorizer):
        refuse(counter)
    is_plain_counter = counter.lowercase and counter.strip_accents is None and not counter.binary
    if not is_plain_counter or counter.stop_words is not None:
        refuse(counter)
    is_logarithmic = isinstance(weights, TfidfTransformer) and weights.sublinear_tf
    if not is_logarithmic or weights.use_idf or weights.norm != "l2":
        refuse(weights)
    terms = sorted(counter.vocabulary_, key=counter.vocabulary_.__getitem__)
    return TermBlock(
        column=column,
        analyzer=counter.analyzer,
        ngrams=counter.ngram_range,
        terms=np.frombuffer("\n".join(terms).encode(), np.uint8),
    )


def _describe_embeddings(part: Any, names: tuple[str, ...] | None, n_given: int) -> EmbeddingBlock:
    first, *rest = (step for _, step in part.steps)
    if not calls(first, np.asarray):
        refuse(first)
    found: dict[str, Any] = {"unit_rows": False}
    for step in rest:
        if calls(step, np.take) and len(found) == 1:
            found["columns"] = np.asarray(step.kw_args["indices"], np.int64)
        elif calls(step, polyval) and "offset" not in found:
            found["offset"], found["scale"] = read_line(step)
        elif isinstance(step, Normalizer) and step.norm == "l2" and step is rest[-1]:
            found["unit_rows"] = True
        elif step != "passthrough":
            refuse(step)
    return EmbeddingBlock(names=names, n_given=n_given, **found)


def _describe_numbers(part: Any, names: tuple[str, ...]) -> NumericBlock:
    first, line, damping, union = (step for _, step in part.steps)
    value = _read_value(union)
    for step, function in ((first, np.asarray), (damping, np.arcsinh), (value, np.nan_to_num)):
        if not calls(step, function):
            refuse(step)
    offset, scale = read_line(line)
    return NumericBlock(names=names, offset=offset, scale=scale)


def _describe_booleans(part: Any, names: tuple[str, ...]) -> BooleanBlock:
    first, union = (step for _, step in part.steps)
    value = _read_value(union)
    if not calls(first, np.asarray):
        refuse(first)
    if not isinstance(value, SimpleImputer):
        refuse(value)
    return BooleanBlock(names=names, fill=np.asarray(value.statistics_, np.float64))


def _read_value(union: Any) -> Any:
    """Return the first step of a union whose second step is an indicator of missing cells."""
    (_, value), (_, indicator) = union.transformer_list
    if not isinstance(indicator, MissingIndicator) or indicator.features != "all":
        refuse(indicator)
    return value


def _describe_categories(part: Any, names: tuple[str, ...]) -> CategoricalBlock:
    encoder = part[-1]
    if not isinstance(encoder, OneHotEncoder):
        refuse(encoder)
    levels = tuple(
        tuple(str(level) for level in known if level not in set(rare))
        for known, rare in zip(encoder.categories_, encoder.infrequent_categories_, strict=True)
    )
    return CategoricalBlock(names=names, levels=levels)
