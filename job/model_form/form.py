"""A complete model in its plain form: input, feature blocks, head and link.

A row's *features* are the columns of all blocks, one after the other.  The *head* computes scores
from the features, and the *link* computes the probabilities of the classes from the scores.
`docs/model-format.md` gives the formulas.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from job.model_form.block_forms import Block, EmbeddingBlock, TermBlock
from job.model_form.head_forms import ConstantHead, Head, Identity, Link, Platt, Sigmoid
from job.model_form.parts import FormPart, Name, Names, Number, require


class TextInput(FormPart):
    """A list of texts."""

    kind: Literal["text"] = "text"


class EmbeddingInput(FormPart):
    """A matrix of embeddings with `width` columns."""

    kind: Literal["embeddings"] = "embeddings"
    width: int = Field(gt=0)


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
    blocks: tuple[Annotated[Block, Field(discriminator="kind")], ...]
    head: Annotated[Head, Field(discriminator="kind")]
    link: Annotated[Link, Field(discriminator="kind")]

    @model_validator(mode="after")
    def _check(self) -> Self:
        n_features, n_scores = self.head.shape
        n_classes = len(set(self.classes))
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
        if not is_constant:
            width = sum(block.width for block in self.blocks)
            problem = f"the blocks have {width} features, but the head takes {n_features}"
            require(width == n_features, problem)
        for block in self.blocks:
            self._check_input(block)
        return self

    def _check_input(self, block: Block) -> None:
        if isinstance(self.input, TableInput):
            known = {*self.input.names}
            names: set[Name | None] = (
                {block.column} if isinstance(block, TermBlock) else {*(block.names or (None,))}
            )
            require(names <= known, "a block takes an unknown column")
        elif isinstance(self.input, TextInput):
            is_fitting = isinstance(block, TermBlock) and block.column is None
            require(is_fitting, "the input is a text, but a block takes something else")
        else:
            is_fitting = (
                isinstance(block, EmbeddingBlock)
                and block.names is None
                and block.n_given == self.input.width
            )
            require(is_fitting, "the input is a matrix, but a block takes something else")
