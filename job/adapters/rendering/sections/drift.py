"""Drift of the table from the champion's table, largest drift first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from job.adapters.rendering.sections.section import Section
from job.contracts.reports.drift import DriftMeasure
from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.metadata import Metadata

_MAX_LISTED: Final = 25
_MEASURES: Final = {
    "psi": "Population stability index",
    "class_share": "Change of the class share",
    "unseen_words": "Increase in the share of unseen words",
    "mean_shift": "Shift of the mean embedding",
    "lost_variance": "Loss of variance along the principal axes",
}
_TEMPLATE = """
<p>This section compares the table with the one that the champion was trained on.</p>
{% if problem %}<p>The table was not compared with that of <code>{{ champion }}</code>: \
{{ problem }}.</p>{% else %}
<p>{% if drifted or missing_subjects %}<strong>The table has drifted</strong> from that of \
<code>{{ champion }}</code>: {% for name in drifted %}{{ name }}\
{% if not loop.last %}, {% endif %}{% endfor %}{% if missing_subjects %}\
{% if drifted %}; {% endif %}missing or of a different type: \
{% for name in missing_subjects %}{{ name }}{% if not loop.last %}, {% endif %}{% endfor %}\
{% endif %}.{% elif rows %}No measure shows drift from the table of \
<code>{{ champion }}</code>.{% else %}Nothing could be compared with the table of
<code>{{ champion }}</code>.{% endif %}
This table has {{ n_rows|count }} rows in {{ n_groups|count }} groups; the champion's table had
{{ n_rows_before|count }} rows in {{ n_groups_before|count }} groups.</p>
<div class="scroll tall" role="region" tabindex="0" aria-label="Drift">
<table class="sortable"><caption>A value is drift if it exceeds both its threshold and its chance \
level. Tables of these sizes exceed the chance level one time in a thousand if nothing has changed.\
{% if n_more %} {{ n_more|count }} more measures with less change are in evaluation.json.\
{% endif %}</caption>
<thead><tr><th scope="col">Subject</th><th scope="col">Measure</th>
<th scope="col" class="n">Before</th><th scope="col" class="n">Now</th>
<th scope="col" class="n">Value</th><th scope="col" class="n">Jensen-Shannon distance</th>
<th scope="col" class="n">Threshold</th><th scope="col" class="n">Chance level</th></tr></thead>
<tbody>{% for r in rows %}<tr><th scope="row">{{ r.subject|breakable }}</th>
<td>{{ r.name }}{% if r.is_drift %}: <strong>drift</strong>{% endif %}</td>
<td class="n">{{ r.before|score }}</td><td class="n">{{ r.after|score }}</td>
<td class="n strong">{{ r.value|score }}</td><td class="n">{{ r.distance|score }}</td>
<td class="n">{{ r.threshold|score }}</td><td class="n">{{ r.null_quantile|score }}</td></tr>
{% endfor %}</tbody></table></div>
{% if missing %}<p class="note">Missing values: {% for r in missing %}{{ r.subject }} \
{{ (100 * r.before)|round(1) }}% before, {{ (100 * r.after)|round(1) }}% now\
{% if not loop.last %}; {% endif %}{% endfor %}.</p>{% endif %}
{% if not_compared %}<p class="note">Not compared, because the champion's table had no values for
it, or too few: {% for name in not_compared %}{{ name }}{% if not loop.last %}, {% endif %}\
{% endfor %}.</p>{% endif %}{% endif %}
"""


def _values(_: Metadata, evaluation: Evaluation) -> Mapping[str, object] | None:
    report = evaluation.drift
    if report is None:
        return None
    distances = {m.subject: m.value for m in report.measures if m.measure == "jensen_shannon"}
    measures = sorted(
        (m for m in report.measures if m.threshold is not None),
        key=lambda m: (-m.is_drift, -_excess(m), m.subject),
    )
    drifted = dict.fromkeys(m.subject for m in measures if m.is_drift)
    return {
        **dict(report),
        "drifted": list(drifted)[:_MAX_LISTED],
        "rows": [
            {
                **dict(m),
                "name": _MEASURES.get(m.measure, m.measure),
                "distance": distances.get(m.subject) if m.measure == "psi" else None,
            }
            for m in measures[:_MAX_LISTED]
        ],
        "n_more": max(len(measures) - _MAX_LISTED, 0),
        "missing": [m for m in report.measures if m.measure == "missing"],
    }


def _excess(measure: DriftMeasure) -> float:
    limit = max(measure.threshold or 0.0, measure.null_quantile or 0.0)
    return measure.value / limit if limit else 0.0


SECTION = Section(anchor="drift", title="Data drift", template=_TEMPLATE, values=_values)
