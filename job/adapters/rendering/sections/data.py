"""The table, and its split into training and held-out rows without leakage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from job.adapters.rendering.sections.section import Section
from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.geometry import Geometry
from job.contracts.reports.metadata import Metadata

_TEMPLATE = """
<p>This section shows the size of the table and its split into training and held-out rows.</p>
{% if description %}<p>Description that comes with the table: {{ description }}</p>{% endif %}
<dl class="facts">
{% for name, value in facts %}<div><dt>{{ name }}</dt><dd>{{ value }}</dd></div>
{% endfor %}</dl>
{% if test_only %}<p>Classes that occur only in the test table: \
{% for name in test_only %}<bdi>{{ name }}</bdi>{{ ", " if not loop.last }}{% endfor %}.</p>\
{% endif %}
"""
_COUNTS: Final = {
    "n_train": "training rows",
    "n_train_keys": "distinct keys of the training rows",
    "n_test": "held-out rows",
    "n_test_keys": "distinct keys of the held-out rows",
    "n_large_groups": "groups too large to hold out (always used for training)",
    "n_rows_large_groups": "rows of these groups",
    "n_dropped_leaking": "training rows dropped because they share a key with held-out rows",
    "n_dropped_rare_class": "rows dropped because their class is too rare",
    "n_rare_classes": "classes dropped because they are too rare",
    "n_conflicting_texts": "keys with more than one label",
    "n_conflicting_rows": "rows whose key has more than one label",
    "n_test_only_rows": "test rows of classes that are not in the training rows",
}
_NOT_RESTORED: Final = {
    "one_length": "no: all rows of the table have the same length",
    "too_few_rows": "no: {n_rows} are too few to determine how the columns were scaled",
    "too_wide": "no: there are too many columns to determine how they were scaled",
    "not_found": "no: no scaling of the columns gives all rows the same length",
}
_METHODS: Final = {
    "hash": "a salted hash of the key, stratified by class",
    "stratified_group": "a seeded random choice of keys, stratified by class",
    "official_test": "an official test table",
}


def describe_geometry(geometry: Geometry) -> str:
    """Return words that say whether embeddings were mapped back to length 1, or why not."""
    n_columns = f"{geometry.prefix or geometry.width:,} of {geometry.width:,} columns"
    values, deviation = geometry.singular_values, geometry.length_deviation
    if geometry.status == "restored" and values is not None and deviation is not None:
        return (
            f"yes, with {n_columns} (smallest singular value {values[0]:.6f}, the next "
            f"{values[1]:.6f}, deviation of held-out lengths {deviation:.6f}); "
            "other columns are not used"
        )
    n_rows = f"{geometry.n_distinct_rows:,} distinct rows"
    return _NOT_RESTORED[geometry.status].format(n_rows=n_rows)


def _values(metadata: Metadata, evaluation: Evaluation) -> Mapping[str, object] | None:
    split = evaluation.split
    facts = [
        ("rows in the table", f"{metadata.dataset.n_rows:,}"),
        ("key that training and held-out rows must not share", split.key),
        ("the hold-out is chosen by", _METHODS.get(split.method, split.method)),
    ]
    # files of earlier releases lack some of them, and then the page does not show their defaults
    stated = split.model_fields_set
    facts += [
        (words, f"{getattr(split, key):,}") for key, words in _COUNTS.items() if key in stated
    ]
    if evaluation.challenge:
        n_near = f"{split.n_dropped_challenge:,}"
        facts.append(("rows left out as near-duplicates of the challenge set", n_near))
    if "class_share_difference" in stated:
        difference = f"{split.class_share_difference:.4f}"
        facts.append(("largest difference of a class share between the sides", difference))
    if evaluation.geometry:
        text = describe_geometry(evaluation.geometry)
        facts.append(("embedding rows mapped back to length 1", text))
    return {
        "facts": facts,
        "description": metadata.dataset.description,
        "test_only": split.test_only_classes,
    }


SECTION = Section(anchor="data", title="Data and split", template=_TEMPLATE, values=_values)
