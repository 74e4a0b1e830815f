"""Labels that are likely wrong, by class; the page never names rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from job.adapters.rendering.sections.section import Section
from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.metadata import Metadata

_MOST: Final = 15
_ONE_ROW: Final = 0.5  # estimates below it are nearer to none
_TEMPLATE = """
<p>About <strong>{{ (100 * share.value)|round(1) }} %</strong> of the training labels \
are likely wrong \
({{ level|percent }} interval {{ (100 * share.lower)|round(1) }} % to
{{ (100 * share.upper)|round(1) }} %).</p>
<p>{{ estimator|words|capitalize }} judged {{ n_rows|count }} rows in {{ folds }} folds, each row \
by a model that had seen neither it nor its group\
{% if estimator == "linear_svc" %}, its decision values calibrated on the rows of the other \
folds{% endif %}; confident learning counts the labels it firmly \
disagrees with. Classes that overlap look wrong too, and the interval says only what other rows \
would change: take it as a reason to look, not as a verdict.</p>
{% if classes %}<div class="scroll" role="region" tabindex="0" aria-label="Doubted labels">
<table><caption>Classes by likely wrong labels{% if n_more %}; {{ n_more|count }} more are in
<code>evaluation.json</code>{% endif %}.</caption>
<thead><tr><th scope="col">Given label</th><th scope="col" class="n">Rows</th>
<th scope="col" class="n">Likely wrong</th></tr></thead>
<tbody>{% for c in classes %}<tr><th scope="row">{{ c.name|breakable }}</th>
<td class="n">{{ c.n_rows|count }}</td><td class="n">{{ c.n_wrong }}</td>
</tr>
{% endfor %}</tbody></table></div>
<div class="scroll" role="region" tabindex="0" aria-label="Labels given for others"><table>
<caption>Labels given where another is likely.</caption>
<thead><tr><th scope="col">Given label</th><th scope="col">Likely label</th>
<th scope="col" class="n">Rows</th></tr></thead>
<tbody>{% for p in pairs %}<tr><td>{{ p.given|breakable }}</td><td>{{ p.likely|breakable }}</td>
<td class="n">{{ p.n_rows }}</td></tr>
{% endfor %}</tbody></table></div>{% endif %}
"""


def _values(_: Metadata, evaluation: Evaluation) -> Mapping[str, object] | None:
    noise = evaluation.label_noise
    if noise is None:
        return None
    classes = sorted(
        ((name, labels) for name, labels in noise.per_class.items() if labels.n_wrong >= _ONE_ROW),
        key=lambda one: (-one[1].n_wrong, one[0]),
    )
    return {
        **dict(noise),
        "classes": [{"name": name, **dict(labels)} for name, labels in classes[:_MOST]],
        "n_more": max(len(classes) - _MOST, 0),
        "pairs": [pair for pair in noise.pairs if pair.n_rows >= _ONE_ROW][:_MOST],
    }


SECTION = Section(anchor="labels", title="Label problems", template=_TEMPLATE, values=_values)
