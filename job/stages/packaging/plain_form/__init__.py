"""Describe a fitted pipeline in its plain form, and prove that the form predicts the same.

`describe_model` returns the form, and `proof` compares it with the pipeline.
`job.stages.packaging.read_plain_form` reads the form of a published version.
"""

from __future__ import annotations

from typing import Any

from sklearn.pipeline import Pipeline

from job.contracts.reports.metadata import ModelInput
from job.model_form.form import ModelForm
from job.stages.packaging.plain_form.block_steps import describe_blocks
from job.stages.packaging.plain_form.head_steps import describe_head
from job.stages.packaging.read_plain_form import describe_input


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
        input=describe_input(model_input),
        classes=tuple(str(name) for name in pipeline.classes_),
        decision_threshold=decision_threshold,
        blocks=blocks,
        head=head,
        link=link,
    )
