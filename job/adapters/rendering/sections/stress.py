"""What the model does in batches of another class mix whose embeddings are standardized anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from job.adapters.rendering.sections.section import Section
from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.metadata import Metadata

_MOST: Final = 40
_TEMPLATE = """
<p>Embeddings {{ stated }}. In batches of another class mix that are standardized anew, the
published model is right on <strong>{{ s.accuracy|score }}</strong> of the rows\
{% if s.interval %} ({{ s.level|percent }} interval over groups: \
{{ s.interval.lower|score }} to \
{{ s.interval.upper|score }}){% endif %}, \
and on {{ s.accuracy_as_given|score }} of the same rows as given.
{% if s.accuracy_recentered is not none %}Where the consumer recenters such batches
(docs/consumers.md), it is right on <strong>{{ s.accuracy_recentered|score }}</strong>.{% endif %}
Scalers that are kept, and not fitted to each batch, avoid the difference.</p>
<div class="scroll tall" role="region" tabindex="0" aria-label="Accuracy of batches">
<table class="sortable"><caption>{{ s.n_draws|count }} batches of {{ s.n_batch_rows|count }} rows \
for each class, drawn from {{ s.n_rows|count }} held-out rows in {{ s.n_groups|count }} groups:
{{ s.share|percent }} of one class, the rest evenly of the others.\
{% if n_more %} {{ n_more|count }} more classes stand in evaluation.json.{% endif %}</caption>
<thead><tr><th scope="col">Most rows are of</th>
<th scope="col" class="n" aria-sort="ascending">Accuracy</th>
{% if s.accuracy_recentered is not none %}<th scope="col" class="n">Recentered</th>{% endif %}
<th scope="col" class="n">As given</th></tr></thead>
<tbody>{% for r in rows %}<tr><th scope="row">{{ r.name|breakable }}</th>
<td class="n strong">{{ r.accuracy|score }}</td>
{% if s.accuracy_recentered is not none %}<td class="n">
{{ r.accuracy_recentered|score }}</td>{% endif %}
<td class="n">{{ r.accuracy_as_given|score }}</td></tr>
{% endfor %}</tbody></table></div>
{% if s.n_classes_left_out %}<p class="note">Classes without batches of their own:
{{ s.n_classes_left_out|count }}; they have too few held-out rows, or there are too many classes.
</p>{% endif %}
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
    anchor="batches", title="Batches of another class mix", template=_TEMPLATE, values=_values
)
