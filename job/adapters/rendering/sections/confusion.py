"""The confusion matrix, and the most frequent confusions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from job.adapters.rendering.methods import judged_rows
from job.adapters.rendering.sections.section import Section
from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.metadata import Metadata

_Counts = Sequence[Sequence[int]]
_MAX_MATRIX_CLASSES: Final = 15
_MAX_PAIRS: Final = 15
_LEVELS: Final = 5
_TEMPLATE = """
<p>This section shows which classes the model confuses.</p>
{% if pairs %}<div class="scroll" role="region" tabindex="0" aria-label="Most confused classes">
<table><caption>Most frequent confusions of two classes.</caption>
<thead><tr><th scope="col">True class</th><th scope="col">Predicted as</th>
<th scope="col" class="n">Rows</th>
<th scope="col" class="n">Rows of the true class</th></tr></thead>
<tbody>{% for p in pairs %}<tr><td>{{ p.true|breakable }}</td><td>{{ p.predicted|breakable }}</td>
<td class="n">{{ p.n|count }}</td><td class="n">{{ p.of|count }}</td></tr>
{% endfor %}</tbody></table></div>
{% else %}<p>No row of {{ judged }} is classified incorrectly.</p>{% endif %}
<div class="{{ "many" if is_many else "few" }}">
{% if is_many %}<p class="paper">The full matrix is shown on the screen and is in
<code>evaluation.json</code>.</p>{% endif %}
<div class="scroll tall matrix" role="region" tabindex="0" aria-label="Confusion matrix"><table>
<caption>Number of rows by true class (lines) and predicted class (columns). The shade shows
the share of the rows of the true class.{% if is_many %} Classes with the most errors come first.\
{% endif %}</caption>
<thead><tr><td></td>{% for name in names %}\
<th scope="col" title="{{ name }}"><span>{{ name }}</span></th>\
{% endfor %}</tr></thead>
<tbody>{% for r in rows %}<tr><th scope="row" title="{{ r.name }}">{{ r.name }}</th>\
{% for n, kind in r.cells %}<td{% if kind %} class="{{ kind }}"{% endif %}>\
{% if n or not is_many %}{{ n|count }}{% endif %}</td>{% endfor %}</tr>
{% endfor %}</tbody></table></div></div>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfusedPair:
    """A true class, a wrongly predicted class, and the number of rows with both."""

    true: str
    predicted: str
    n: int
    of: int


def _values(_: Metadata, evaluation: Evaluation) -> Mapping[str, object] | None:
    counts, classes = evaluation.confusion, evaluation.classes
    if not counts:
        return None
    is_many = len(classes) > _MAX_MATRIX_CLASSES
    order = list(range(len(classes)))
    if is_many:
        order.sort(key=lambda n: -_n_errors(counts, n))
    return {
        "pairs": list_confused(classes, counts),
        "is_many": is_many,
        "judged": judged_rows(evaluation),
        "names": [classes[n] for n in order],
        "rows": [
            {
                "name": classes[row],
                "cells": [
                    (counts[row][column], _kind(counts[row], row, column)) for column in order
                ],
            }
            for row in order
        ],
    }


def _n_errors(counts: _Counts, n: int) -> int:
    """Count the false negatives and the false positives of a class."""
    return sum(counts[n]) + sum(row[n] for row in counts) - 2 * counts[n][n]


def _kind(line: Sequence[int], row: int, column: int) -> str:
    """Return the CSS class of a cell: `d1` to `d5` on the diagonal, `e1` to `e5` elsewhere."""
    if not line[column]:
        return ""
    level = min(_LEVELS, 1 + _LEVELS * line[column] // (sum(line) or 1))
    return f"{'d' if row == column else 'e'}{level}"


def list_confused(classes: Sequence[str], counts: _Counts) -> list[ConfusedPair]:
    """Return the pairs of a true and a wrongly predicted class, most frequent pair first."""
    pairs = [
        ConfusedPair(true=classes[row], predicted=classes[column], n=n, of=sum(line))
        for row, line in enumerate(counts)
        for column, n in enumerate(line)
        if n and row != column
    ]
    pairs.sort(key=lambda pair: (-pair.n, pair.true, pair.predicted))
    return pairs[:_MAX_PAIRS]


SECTION = Section(anchor="confusion", title="Confusion matrix", template=_TEMPLATE, values=_values)
