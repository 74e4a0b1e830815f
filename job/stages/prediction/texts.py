"""Predict texts; this module loads neither pandas nor scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence

from job.contracts.reports.predictions import Prediction, TextPredictions
from job.contracts.settings.dataset import DatasetSpec
from job.errors import ConfigurationError
from job.model_form.form import TextInput
from job.stages.packaging.read_plain_form import PublishedModel
from job.stages.prediction.answers import choose_labels, find_answers, read_rule
from job.stages.prediction.input_columns import find_input_columns


def predict_texts(published: PublishedModel, texts: Sequence[str]) -> TextPredictions:
    """Predict the class of each text; a text without a visible character gets no prediction.

    Raises
    ------
    ConfigurationError
        The model takes something else than texts.
    """
    version = published.version
    _require_texts(published)
    rule = read_rule(published.metadata)
    present = [n for n, text in enumerate(texts) if text.strip()]
    proba = published.model.predict_proba([texts[n] for n in present])
    codes, confidence = choose_labels(proba)
    classes, is_answered = published.model.form.classes, find_answers(rule, confidence)
    predictions = [Prediction(label=None, confidence=None, is_answered=False)] * len(texts)
    rows = zip(present, codes.tolist(), confidence.tolist(), is_answered.tolist(), strict=True)
    for n, code, value, answers in rows:
        predictions[n] = Prediction(label=classes[code], confidence=value, is_answered=answers)
    return TextPredictions(version=version, decision=rule, predictions=tuple(predictions))


def _require_texts(published: PublishedModel) -> None:
    if isinstance(published.model.form.input, TextInput):
        return
    takes = find_input_columns(published, DatasetSpec()).describe()
    raise ConfigurationError(
        f"{published.version} does not take a text alone: it takes {takes}",
        hint="put the requests into a table with these columns: "
        f"`pcc-job predict {published.version} --dataset TABLE --out FILE`",
    )
