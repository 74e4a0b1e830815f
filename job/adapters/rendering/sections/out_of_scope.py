"""Predictions of the published model for requests that belong to none of its classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from job.adapters.rendering.out_of_scope import describe_out_of_scope
from job.adapters.rendering.sections.section import Section
from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.metadata import Metadata

_MOST: Final = 40
_TEMPLATE = """
<p>This section shows how often the model answers requests that belong to none of its classes.</p>
{% for text in texts %}<p>{{ text }}</p>{% endfor %}
<p>An empty request (a text without characters, an embedding of zeros, no metadata) is classified as
<strong>{{ empty.predicted|breakable }}</strong> with a confidence of {{ empty.confidence|score }},
and is {% if not empty.is_answered %}not {% endif %}answered.</p>
{% if rows %}<div class="scroll tall" role="region" tabindex="0"
aria-label="Predicted classes of out-of-scope requests">
<table class="sortable"><caption>Out-of-scope requests by predicted class, answered or not.\
{% if n_more %} {{ n_more|count }} more classes are in evaluation.json.{% endif %}</caption>
<thead><tr><th scope="col">Predicted as</th>
<th scope="col" class="n" aria-sort="descending">Requests</th></tr></thead>
<tbody>{% for name, n in rows %}<tr><th scope="row">{{ name|breakable }}</th>
<td class="n">{{ n|count }}</td></tr>
{% endfor %}</tbody></table></div>{% endif %}
"""


def _values(_: Metadata, evaluation: Evaluation) -> Mapping[str, object] | None:
    out_of_scope = evaluation.out_of_scope
    if out_of_scope is None:
        return None
    predicted = out_of_scope.requests.predicted if out_of_scope.requests else {}
    rows = sorted(predicted.items(), key=lambda item: (-item[1], item[0]))
    return {
        "texts": describe_out_of_scope(evaluation),
        "empty": out_of_scope.empty,
        "rows": rows[:_MOST],
        "n_more": max(0, len(rows) - _MOST),
    }


SECTION = Section(
    anchor="no-class",
    title="Out-of-scope requests",
    template=_TEMPLATE,
    values=_values,
)
