"""List the features with the largest weights for and against a class."""

from __future__ import annotations

from collections.abc import Iterable

from job.contracts.messages import did_you_mean, pluralize, quote, quote_list
from job.contracts.reports.predictions import Explanation, FeatureWeight
from job.errors import ConfigurationError
from job.model_form.feature_weights import (
    NamedWeight,
    count_unnamed,
    find_prototypes,
    list_weights,
)
from job.model_form.form import ModelForm
from job.model_form.head_forms import ConstantHead
from job.stages.packaging.read_plain_form import PublishedModel


def explain_class(published: PublishedModel, label: str, n_top: int) -> Explanation:
    """Return the `n_top` features with the largest weights for a class, and against the class.

    Raises
    ------
    ConfigurationError
        The model does not have the class, or none of its features has a name.
    """
    form, version = published.model.form, published.version
    if label not in form.classes:
        raise ConfigurationError(
            f"{version} has no class {quote(label)}{did_you_mean(label, form.classes)}",
            hint=f"its classes: {quote_list(sorted(form.classes))}; "
            f"`pcc-job models show {version}` prints all of them",
        )
    if isinstance(form.head, ConstantHead):
        raise ConfigurationError(
            f"{version} predicts the same for every request, so no feature has a weight",
            hint=f"`pcc-job models show {version}` prints its estimator",
        )
    weights = list_weights(form, label)
    if not weights:
        raise _unnamed(version, form)
    return Explanation(
        version=version,
        label=label,
        for_class=_select(n_top, (w for w in weights if w.weight > 0)),
        against_class=_select(n_top, (w for w in weights if w.weight < 0)),
        n_features=len(weights),
        n_unnamed=count_unnamed(form),
        notes=tuple(_list_notes(form)),
    )


def _unnamed(version: str, form: ModelForm) -> ConfigurationError:
    prototypes = find_prototypes(form)
    also = (
        ""
        if prototypes is None
        else f", and neither do its {prototypes.centers.shape[1]} prototypes"
    )
    return ConfigurationError(
        f"{version} takes embeddings only, whose {count_unnamed(form)} dimensions have no names"
        f"{also}",
        hint="explain a version that takes texts (features.use=[text]); "
        f"`pcc-job report {version} --open` shows which classes this version confuses",
    )


def _select(n_top: int, weights: Iterable[NamedWeight]) -> tuple[FeatureWeight, ...]:
    """Return the largest weights, by their absolute value."""
    ordered = sorted(weights, key=lambda w: (-abs(w.weight), w.kind, w.name))
    return tuple(
        FeatureWeight(feature=w.name, kind=w.kind, weight=w.weight) for w in ordered[:n_top]
    )


def _list_notes(form: ModelForm) -> list[str]:
    """Return sentences about what the weights do not show."""
    notes = []
    prototypes = find_prototypes(form)
    if n_unnamed := count_unnamed(form):
        notes.append(
            f"The model also has {pluralize(n_unnamed, 'dimension')} of embeddings, which have no "
            "names."
        )
    if prototypes is not None:
        n = prototypes.centers.shape[1]
        notes.append(
            f"The model also compares a row with {pluralize(n, 'prototype')}; this depends on all "
            "features together, so these weights do not contain it."
        )
    return notes
