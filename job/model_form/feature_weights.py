"""Name the features of a plain form, and compute their weights for a class.

How it works
------------
1. Each column of a block gets a name: a term, or the name of a table's column.  Dimensions of
   embeddings have no names.
2. The weight of a feature for a class is its coefficient in the class's score.  If the model has
   only one score for two classes, the score speaks for the second class and against the first.
3. A softmax depends only on differences of scores, so the mean over the classes is subtracted.
4. `Prototypes` have coefficients for the row's own values, and others for the row's similarities to
   the centers; only those for the values are feature weights.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from job.contracts.arrays import Array
from job.model_form.block_forms import Block, CategoricalBlock, EmbeddingBlock, TermBlock
from job.model_form.blocks import MISSING_LEVEL
from job.model_form.form import ModelForm
from job.model_form.head_forms import (
    ConstantHead,
    LinearHead,
    Platt,
    Prototypes,
    PrototypesWithPerceptron,
    Softmax,
)

FeatureKind = Literal["word", "characters", "numeric", "boolean", "categorical"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedWeight:
    """A feature with a name, and its weight for a class."""

    name: str
    kind: FeatureKind
    weight: float


def list_weights(form: ModelForm, label: str) -> tuple[NamedWeight, ...]:
    """Return the weights of all features that have a name, for one of the form's classes."""
    with np.errstate(all="ignore"):  # the numbers may be somebody else's
        weights = _weigh(form, form.classes.index(label))
    found, start = [], 0
    for block in form.blocks:
        part = weights[start : start + block.width]
        start += block.width
        names = zip(_name_features(block), part.tolist(), strict=False)
        found += [NamedWeight(name=name, kind=kind, weight=w) for (name, kind), w in names]
    return tuple(found)


def count_unnamed(form: ModelForm) -> int:
    """Return the number of features that are dimensions of embeddings."""
    return sum(block.width for block in form.blocks if isinstance(block, EmbeddingBlock))


def find_prototypes(form: ModelForm) -> Prototypes | None:
    """Return the prototypes of a form; None if its head is linear or constant."""
    head = form.head.prototypes if isinstance(form.head, PrototypesWithPerceptron) else form.head
    return head if isinstance(head, Prototypes) else None


def _weigh(form: ModelForm, position: int) -> Array:
    """Return the weights of all features for the class at a position, shape (n_features,)."""
    if isinstance(form.head, ConstantHead):
        return np.empty(0)
    prototypes = find_prototypes(form)
    if prototypes is not None:
        n_centers = prototypes.centers.shape[1]
        weights = prototypes.row_weight * prototypes.weights[n_centers:]
    else:
        assert isinstance(form.head, LinearHead)
        weights = form.head.weights
    if isinstance(form.link, Platt):
        weights = -form.link.slope * weights
    if isinstance(form.link, Softmax):
        weights = weights - weights.mean(axis=1, keepdims=True)
    if weights.shape[1] == 1:
        return weights[:, 0] if position == 1 else -weights[:, 0]
    selected: Array = weights[:, position]
    return selected


def _name_features(block: Block) -> Iterator[tuple[str, FeatureKind]]:
    """Yield name and kind of each feature of a block; nothing for embeddings."""
    if isinstance(block, TermBlock):
        kind: FeatureKind = "word" if block.analyzer == "word" else "characters"
        yield from ((term, kind) for term in block.list_terms())
    elif isinstance(block, CategoricalBlock):
        for name, levels in zip(block.names, block.levels, strict=True):
            yield from ((_name_level(name, level), "categorical") for level in levels)
            yield f"{name} = any other value", "categorical"
    elif not isinstance(block, EmbeddingBlock):
        yield from ((name, block.kind) for name in block.names)
        yield from ((f"{name} is missing", block.kind) for name in block.names)


def _name_level(name: str, level: str) -> str:
    return f"{name} is missing" if level == MISSING_LEVEL else f"{name} = {level}"
