"""Estimated number of wrong labels by class; the page does not list single rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from job.adapters.rendering.sections.section import Section
from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.metadata import Metadata

_MOST: Final = 15
_ONE_ROW: Final = 0.5  # an estimate below this rounds to zero rows
_TEMPLATE = """
<p>About <strong>{{ (100 * share.value)|round(1) }}%</strong> of the training labels \
are likely wrong \
({{ level|percent }} confidence interval {{ (100 * share.lower)|round(1) }}% to
{{ (100 * share.upper)|round(1) }}%).</p>
<p>{{ estimator|words|capitalize }} predicted {{ n_rows|count }} rows in {{ folds }} folds. The \
model of a fold was not trained on the fold's rows or their groups\
{% if estimator == "linear_svc" %}, and has its decision values calibrated on the rows of the \
other folds{% endif %}. Confident learning counts the labels that these predictions confidently \
contradict. Where classes overlap, correct labels may be counted too, and the interval covers \
only the choice of rows. Use the estimate to decide which labels to check; it does not prove that \
a label is wrong.</p>
{% if classes %}<div class="scroll" role="region" tabindex="0" aria-label="Wrong labels by class">
<table><caption>Classes by the estimated number of wrong labels{% if n_more %}; {{ n_more|count }}
more are in <code>evaluation.json</code>{% endif %}.</caption>
<thead><tr><th scope="col">Given label</th><th scope="col" class="n">Rows</th>
<th scope="col" class="n">Wrong labels (estimate)</th></tr></thead>
<tbody>{% for c in classes %}<tr><th scope="row">{{ c.name|breakable }}</th>
<td class="n">{{ c.n_rows|count }}</td><td class="n">{{ c.n_wrong }}</td>
</tr>
{% endfor %}</tbody></table></div>
<div class="scroll" role="region" tabindex="0" aria-label="Given and likely labels"><table>
<caption>Most frequent pairs of a given label and a likely label.</caption>
<thead><tr><th scope="col">Given label</th><th scope="col">Likely label</th>
<th scope="col" class="n">Rows (estimate)</th></tr></thead>
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


SECTION = Section(
    anchor="labels", title="Suspected label errors", template=_TEMPLATE, values=_values
)
