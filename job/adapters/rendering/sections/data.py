"""The table, and how it was split so that nothing leaks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from job.adapters.rendering.sections.section import Section
from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.geometry import Geometry
from job.contracts.reports.metadata import Metadata

_TEMPLATE = """
{% if description %}<p>The table says of itself: {{ description }}</p>{% endif %}
<dl class="facts">
{% for name, value in facts %}<div><dt>{{ name }}</dt><dd>{{ value }}</dd></div>
{% endfor %}</dl>
{% if test_only %}<p>Classes that only the test table has: \
{% for name in test_only %}<bdi>{{ name }}</bdi>{{ ", " if not loop.last }}{% endfor %}.</p>\
{% endif %}
"""
_COUNTS: Final = {
    "n_train": "training rows",
    "n_train_keys": "distinct keys in them",
    "n_test": "held-out rows",
    "n_test_keys": "distinct keys in these",
    "n_large_groups": "groups too large to hold out, always trained on",
    "n_rows_large_groups": "rows of these groups",
    "n_dropped_leaking": "training rows dropped: they also stood in the hold-out",
    "n_dropped_rare_class": "rows dropped: their class is too rare",
    "n_rare_classes": "classes too rare to learn",
    "n_conflicting_texts": "keys with more than one label",
    "n_conflicting_rows": "rows of such keys",
    "n_test_only_rows": "test rows of classes that were never trained on",
}
_NOT_RESTORED: Final = {
    "one_length": "not restored: the rows have one length as they are",
    "too_few_rows": "not restored: {n_rows} do not determine it",
    "too_wide": "not restored: too many columns to look for it",
    "not_found": "not restored: not found",
}
_METHODS: Final = {
    "hash": "a salted hash of the key, by class",
    "stratified_group": "seeded, by class and key",
    "official_test": "an official test table",
}


def describe_geometry(geometry: Geometry) -> str:
    """Return in words whether rows of length 1 were restored, and why not."""
    n_columns = f"{geometry.prefix or geometry.width:,} of {geometry.width:,} columns"
    values, deviation = geometry.singular_values, geometry.length_deviation
    if geometry.status == "restored" and values is not None and deviation is not None:
        return (
            f"restored from {n_columns} (smallest singular value {values[0]:.6f}, the next "
            f"{values[1]:.6f}, deviation of held-out lengths {deviation:.6f}); "
            "other columns are not used"
        )
    n_rows = f"{geometry.n_distinct_rows:,} distinct rows"
    return _NOT_RESTORED[geometry.status].format(n_rows=n_rows)


def _values(metadata: Metadata, evaluation: Evaluation) -> Mapping[str, object] | None:
    split = evaluation.split
    facts = [
        ("rows in the table", f"{metadata.dataset.n_rows:,}"),
        ("what stays on one side", split.key),
        ("the hold-out is made by", _METHODS.get(split.method, split.method)),
    ]
    # files of earlier releases lack some of them, and then the page does not show their defaults
    stated = split.model_fields_set
    facts += [
        (words, f"{getattr(split, key):,}") for key, words in _COUNTS.items() if key in stated
    ]
    if evaluation.challenge:
        n_near = f"{split.n_dropped_challenge:,}"
        facts.append(("rows left out: near-duplicates of the challenge set", n_near))
    if "class_share_difference" in stated:
        difference = f"{split.class_share_difference:.4f}"
        facts.append(("largest difference of a class's share", difference))
    if evaluation.geometry:
        text = describe_geometry(evaluation.geometry)
        facts.append(("rows of length 1 behind the embeddings", text))
    return {
        "facts": facts,
        "description": metadata.dataset.description,
        "test_only": split.test_only_classes,
    }


SECTION = Section(anchor="data", title="Data and leakage", template=_TEMPLATE, values=_values)
