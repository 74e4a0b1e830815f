"""The plain forms of feature blocks; `blocks` computes the features.

`width` is the number of features of a block.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from job.model_form.parts import Bytes, FormPart, Name, Names, Positions, Vector, Width, require


class TermBlock(FormPart):
    """Weights of the terms of a text.

    Attributes
    ----------
    column
        Column of the text; None if the input is a list of texts.
    terms
        UTF-8 bytes of the terms in the order of the columns, joined by line feeds.
    """

    kind: Literal["terms"] = "terms"
    column: Name | None
    analyzer: Literal["word", "char_wb"]
    ngrams: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(le=16)]]
    terms: Bytes

    def list_terms(self) -> list[str]:
        """Return the terms in the order of the columns."""
        return self.terms.tobytes().decode().split("\n")

    @property
    def width(self) -> int:
        """Number of features."""
        return int(np.count_nonzero(self.terms == ord("\n"))) + 1

    @model_validator(mode="after")
    def _check(self) -> Self:
        terms = self.list_terms()
        require(all(terms), "a term is empty")
        require(len(set(terms)) == len(terms), "a term occurs twice")
        return self


class EmbeddingBlock(FormPart):
    """Selected, mapped and scaled columns of an embedding.

    Attributes
    ----------
    names
        Columns of the embedding; None if the input is a matrix.
    columns
        Positions of the selected columns, shape (width,); None if all are selected.
    offset, scale
        Numbers of the map `offset + scale * x`, shape (width,); None without a map.
    unit_rows
        Whether rows are divided by their Euclidean lengths.
    """

    kind: Literal["embeddings"] = "embeddings"
    names: Names | None
    n_given: Width
    columns: Positions | None = None
    offset: Vector | None = None
    scale: Vector | None = None
    unit_rows: bool

    @property
    def width(self) -> int:
        """Number of features."""
        return self.n_given if self.columns is None else len(self.columns)

    @model_validator(mode="after")
    def _check(self) -> Self:
        require(
            self.names is None or len(self.names) == self.n_given,
            f"does not have {self.n_given} names",
        )
        if self.columns is not None:
            is_inside = (self.columns >= 0) & (self.columns < self.n_given)
            require(bool(is_inside.all()), "a column is outside the embedding")
        for values in (self.offset, self.scale):
            fits = values is None or len(values) == self.width
            require(fits, f"offset or scale does not have {self.width} numbers")
        require((self.offset is None) == (self.scale is None), "the map is incomplete")
        return self


class NumericBlock(FormPart):
    """Damped numbers, `asinh(offset + scale * x)`, and indicators of missing values."""

    kind: Literal["numeric"] = "numeric"
    names: Names
    offset: Vector
    scale: Vector

    @property
    def width(self) -> int:
        """Number of features."""
        return 2 * len(self.names)

    @model_validator(mode="after")
    def _check(self) -> Self:
        fits = len(self.offset) == len(self.scale) == len(self.names)
        require(fits, f"offset or scale does not have {len(self.names)} numbers")
        return self


class BooleanBlock(FormPart):
    """Booleans, `fill` where they are missing, and indicators of missing values."""

    kind: Literal["boolean"] = "boolean"
    names: Names
    fill: Vector

    @property
    def width(self) -> int:
        """Number of features."""
        return 2 * len(self.names)

    @model_validator(mode="after")
    def _check(self) -> Self:
        require(len(self.names) == len(self.fill), f"fill does not have {len(self.names)} numbers")
        return self


class CategoricalBlock(FormPart):
    """For each column, an indicator of each level, and one indicator of all other values."""

    kind: Literal["categorical"] = "categorical"
    names: Names
    levels: tuple[Names, ...]

    @property
    def width(self) -> int:
        """Number of features."""
        return sum(len(levels) + 1 for levels in self.levels)

    @model_validator(mode="after")
    def _check(self) -> Self:
        require(len(self.names) == len(self.levels), "levels of a column are missing")
        require(all(len(set(ls)) == len(ls) for ls in self.levels), "a level occurs twice")
        return self


Block = TermBlock | EmbeddingBlock | NumericBlock | BooleanBlock | CategoricalBlock
