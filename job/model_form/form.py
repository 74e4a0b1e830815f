"""A complete model in its plain form: input, feature blocks, head and link.

A row's *features* are the columns of all blocks, one after the other.  The *head* computes scores
from the features, and the *link* computes the probabilities of the classes from the scores.
`docs/model-format.md` gives the formulas.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from job.model_form.block_forms import Block, EmbeddingBlock, TermBlock
from job.model_form.head_forms import (
    ConstantHead,
    Head,
    Identity,
    LinearHead,
    Link,
    Platt,
    Sigmoid,
)
from job.model_form.parts import FormPart, Name, Names, Number, Width, require


class TextInput(FormPart):
    """A list of texts."""

    kind: Literal["text"] = "text"


class EmbeddingInput(FormPart):
    """A matrix of embeddings with `width` columns."""

    kind: Literal["embeddings"] = "embeddings"
    width: Width


class TableInput(FormPart):
    """A table with these columns, in this order."""

    kind: Literal["dataframe"] = "dataframe"
    names: Names


class ModelForm(FormPart):
    """A complete model.

    Attributes
    ----------
    classes
        Classes in the order of the probabilities.
    decision_threshold
        Minimum probability of an answer; None without a threshold.
    """

    format: Literal["pcc-plain-model"] = "pcc-plain-model"
    format_version: Literal[1] = 1
    input: Annotated[TextInput | EmbeddingInput | TableInput, Field(discriminator="kind")]
    classes: Names
    decision_threshold: Number | None
    blocks: tuple[Annotated[Block, Field(discriminator="kind")], ...] = Field(max_length=100)
    head: Annotated[Head, Field(discriminator="kind")]
    link: Annotated[Link, Field(discriminator="kind")]

    @model_validator(mode="after")
    def _check(self) -> Self:
        self._check_scores()
        self._check_blocks()
        self._check_columns()
        return self

    def _check_scores(self) -> None:
        """Raise `ValueError` unless head, link and classes fit together."""
        n_scores, n_classes = self.head.shape[1], len(set(self.classes))
        require(n_classes == len(self.classes) > 0, "the classes are not distinct")
        is_single = isinstance(self.link, Sigmoid) or (
            isinstance(self.link, Platt) and n_classes == 2
        )
        problem = f"the head has {n_scores} scores, which do not fit to {n_classes} classes"
        require(n_scores == (1 if is_single else n_classes), problem)
        require(not is_single or n_classes == 2, "one score needs two classes")
        if isinstance(self.link, Platt):
            lengths = [len(self.link.slope), len(self.link.offset)]
            problem = f"the link's slope and offset have {lengths} numbers instead of {n_scores}"
            require(lengths == [n_scores, n_scores], problem)
        is_constant = isinstance(self.head, ConstantHead)
        require(is_constant == isinstance(self.link, Identity), "head and link do not fit")

    def _check_blocks(self) -> None:
        """Raise `ValueError` unless the blocks fit to the head and to the kind of input."""
        if isinstance(self.head, ConstantHead):
            require(not self.blocks, "a constant model has blocks")
            return
        require(len(self.blocks) > 0, "the model has no blocks")
        width, n_features = sum(block.width for block in self.blocks), self.head.shape[0]
        problem = f"the blocks have {width} features, but the head takes {n_features}"
        require(width == n_features, problem)
        kinds = [block.kind for block in self.blocks]
        is_linear = isinstance(self.head, LinearHead)
        require(is_linear or "terms" not in kinds, "terms need a linear head")
        if isinstance(self.input, TextInput):
            require(
                set(kinds) == {"terms"}, "the input is a text, but a block takes something else"
            )
        elif isinstance(self.input, EmbeddingInput):
            [block, *others] = self.blocks
            is_fitting = (
                isinstance(block, EmbeddingBlock)
                and not others
                and block.n_given == self.input.width
            )
            require(is_fitting, "the input is a matrix, but a block takes something else")

    def _check_columns(self) -> None:
        """Raise `ValueError` if a block takes an unknown column, or another kind's column."""
        known = {*self.input.names} if isinstance(self.input, TableInput) else {None}
        taken: dict[Name | None, str] = {}
        for block in self.blocks:
            names = (block.column,) if isinstance(block, TermBlock) else block.names or (None,)
            require(known.issuperset(names), "a block takes an unknown column")
            require(len(set(names)) == len(names), "a block takes a column twice")
            for name in names:
                is_own = taken.setdefault(name, block.kind) == block.kind
                require(is_own, "a column is taken by two kinds of blocks")
