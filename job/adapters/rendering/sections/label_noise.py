"""Labels that are likely wrong, by class; the page never names rows."""

from __future__ import annotations

from typing import Any, Final

from job.adapters.rendering.sections.section import Section

_MOST: Final = 15
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


def _values(_: dict[str, Any], evaluation: dict[str, Any]) -> dict[str, Any] | None:
    noise = evaluation.get("label_noise")
    if not noise:
        return None
    classes: list[dict[str, Any]] = [
        {"name": name, **one} for name, one in noise["per_class"].items() if one["n_wrong"] >= 0.5
    ]
    classes.sort(key=lambda one: (-one["n_wrong"], one["name"]))
    return {
        **noise,
        "classes": classes[:_MOST],
        "n_more": max(len(classes) - _MOST, 0),
        "pairs": [pair for pair in noise["pairs"] if pair["n_rows"] >= 0.5][:_MOST],
    }


SECTION = Section(anchor="labels", title="Label problems", template=_TEMPLATE, values=_values)
