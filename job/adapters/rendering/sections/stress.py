"""Accuracy on batches with a different class mix, each standardized on its own rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from job.adapters.rendering.sections.section import Section
from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.metadata import Metadata

_MOST: Final = 40
_TEMPLATE = """
<p>This section shows the accuracy on batches with a different class mix, if the embeddings of each
batch are standardized on that batch alone. Embeddings {{ stated }}. On such batches, the accuracy
of the published model is <strong>{{ s.accuracy|score }}</strong>\
{% if s.interval %} ({{ s.level|percent }} interval over groups: \
{{ s.interval.lower|score }} to \
{{ s.interval.upper|score }}){% endif %}; \
on the same rows with the table's embeddings, it is {{ s.accuracy_as_given|score }}.
{% if s.accuracy_recentered is not none %}If the consumer recenters such batches
(docs/consumers.md), it is <strong>{{ s.accuracy_recentered|score }}</strong>.{% endif %}
To avoid the difference, reuse the scalers fitted to the table instead of fitting new ones.</p>
<div class="scroll tall" role="region" tabindex="0" aria-label="Accuracy of batches">
<table class="sortable"><caption>{{ s.n_draws|count }} batches of {{ s.n_batch_rows|count }} rows \
for each class, drawn from {{ s.n_rows|count }} held-out rows in {{ s.n_groups|count }} groups:
{{ s.share|percent }} of the rows are of that class, the rest are spread evenly over the others.\
{% if n_more %} {{ n_more|count }} more classes are in evaluation.json.{% endif %}</caption>
<thead><tr><th scope="col">Majority class</th>
<th scope="col" class="n" aria-sort="ascending">Accuracy</th>
{% if s.accuracy_recentered is not none %}<th scope="col" class="n">After recentering</th>
{% endif %}
<th scope="col" class="n">With the table's embeddings</th></tr></thead>
<tbody>{% for r in rows %}<tr><th scope="row">{{ r.name|breakable }}</th>
<td class="n strong">{{ r.accuracy|score }}</td>
{% if s.accuracy_recentered is not none %}<td class="n">
{{ r.accuracy_recentered|score }}</td>{% endif %}
<td class="n">{{ r.accuracy_as_given|score }}</td></tr>
{% endfor %}</tbody></table></div>
{% if s.n_classes_left_out %}<p class="note">Classes that were left out because they have too few
held-out rows or because there are too many classes: {{ s.n_classes_left_out|count }}.</p>
{% endif %}
"""
STATED: Final = {
    "settings": "are standardized per batch, as the settings state",
    "suite": "are standardized per batch, as the expectation suite states",
    "check": "look standardized per batch",
}


def _values(_: Metadata, evaluation: Evaluation) -> Mapping[str, object] | None:
    stress = evaluation.stress
    if stress is None:
        return None
    rows = sorted(stress.classes, key=lambda class_score: class_score.accuracy)
    return {
        "s": stress,
        "stated": STATED[stress.stated_by],
        "rows": rows[:_MOST],
        "n_more": max(0, len(rows) - _MOST),
    }


SECTION = Section(
    anchor="batches", title="Batches with a different class mix", template=_TEMPLATE, values=_values
)
