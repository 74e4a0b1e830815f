"""Describe a fitted pipeline in its plain form, and prove that the form predicts the same.

`describe_model` returns the form; `proof` compares it with the pipeline; `read_model` reads the
form of a published version.
"""

from __future__ import annotations

from typing import Any

from sklearn.pipeline import Pipeline

from job.contracts.reports.metadata import Metadata, ModelInput
from job.contracts.version_files import PLAIN_MODEL_FILE
from job.errors import IntegrityError
from job.model_form.form import EmbeddingInput, ModelForm, TableInput, TextInput
from job.model_form.model import PlainModel
from job.stages.packaging.plain_form.block_steps import describe_blocks
from job.stages.packaging.plain_form.head_steps import describe_head


def describe_model(
    pipeline: Any, model_input: ModelInput, decision_threshold: float | None
) -> ModelForm:
    """Return the plain form of a fitted pipeline.

    Parameters
    ----------
    pipeline
        The pipeline to publish: the steps `preprocess` and `classifier`.
    decision_threshold
        Minimum probability of an answer; None without a threshold.

    Raises
    ------
    TrainingError
        A step of the pipeline has no plain form; the message names the step.
    """
    assert isinstance(pipeline, Pipeline)
    preprocess, classifier = pipeline.named_steps["preprocess"], pipeline.named_steps["classifier"]
    head, link = describe_head(classifier)
    blocks = () if head.kind == "constant" else describe_blocks(preprocess, model_input)
    return ModelForm(
        input=_describe_input(model_input),
        classes=tuple(str(name) for name in pipeline.classes_),
        decision_threshold=decision_threshold,
        blocks=blocks,
        head=head,
        link=link,
    )


def read_model(version: str, data: bytes, metadata: Metadata) -> PlainModel:
    """Return the model of a version from the bytes of its plain form; nothing is unpickled.

    Raises
    ------
    IntegrityError
        The file is not a model of a known format, or has other classes or another input than
        metadata.json.
    """
    name = f"{version}/{PLAIN_MODEL_FILE}"
    model = PlainModel.read(data, name)
    form = model.form
    if form.classes != metadata.classes or form.input != _describe_input(metadata.input):
        raise IntegrityError(
            f"{name} has other classes or another input than metadata.json",
            hint="do not use this version; find out who wrote it, and publish a new version",
        )
    return model


def _describe_input(model_input: ModelInput) -> TextInput | EmbeddingInput | TableInput:
    if model_input.kind == "text":
        return TextInput()
    if model_input.kind == "embeddings":
        return EmbeddingInput(width=model_input.shape[1] or 0)
    return TableInput(names=model_input.names)
