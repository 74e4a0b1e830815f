"""What the search tried."""

from __future__ import annotations

from collections.abc import Mapping

from job.adapters.rendering.formatting import metric_name, plain_value
from job.adapters.rendering.sections.section import Section
from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.metadata import Metadata

_TEMPLATE = """
{% if is_cut_short %}<p class="note">Time was over before the search had ended
(<code>search.max_seconds</code>): this is the best so far.</p>{% endif %}
{% if prefers_wording %}<p>Most rows come from sentence templates, on which a cross-validation
does not show who understands requests in other words. Prototypes do better there, so the best of
them is chosen, unless another candidate scores more than 15 points higher
(<code>search.prefer</code>).</p>{% endif %}
<div class="scroll tall" role="region" tabindex="0" aria-label="Candidates of the search">
<table class="sortable"><caption>By the mean {{ metric }} over the folds\
{% if is_challenged %}; its value on the challenge set has chosen{% endif %}.</caption>
<thead><tr><th scope="col">Candidate</th><th scope="col">Input</th>
<th scope="col" class="n">Rows</th><th scope="col" class="n" aria-sort="descending">Mean</th>
{% if is_challenged %}<th scope="col" class="n">On the challenge set</th>{% endif %}
<th scope="col" class="n">Folds</th><th scope="col">Outcome</th></tr></thead>
<tbody>{% for c in candidates %}<tr><th scope="row">{{ c.estimator|words }}<br>\
<small>{{ c.parameters|plain }}</small></th><td>{{ c.feature_blocks|join(", ") }}</td>
<td class="n">{{ c.n_samples|count }}</td><td class="n strong">{{ c.mean_score|score }}</td>
{% if is_challenged %}<td class="n strong">{{ c.challenge_score|score }}</td>{% endif %}
<td class="n">{% for s in c.fold_scores %}{{ s|score }} {% endfor %}</td>
<td>{{ c.outcome }}</td></tr>
{% endfor %}</tbody></table></div>
"""
_ENDED = {"halved": "not kept for more rows"}


def _values(_: Metadata, evaluation: Evaluation) -> Mapping[str, object] | None:
    search = evaluation.search
    if not search.candidates:
        return None
    ordered = sorted(
        search.candidates,
        key=lambda c: (-c.mean_score, c.estimator, plain_value(dict(c.parameters))),
    )
    is_challenged = search.chosen_on == "challenge"
    return {
        "metric": metric_name(search.metric),
        "is_challenged": is_challenged,
        "prefers_wording": search.prefers == "wording" and not is_challenged,
        "is_cut_short": search.is_cut_short,
        "candidates": [
            {
                **dict(c),
                "parameters": dict(c.parameters),
                "outcome": "chosen" if c == search.chosen else _ENDED.get(c.ended or "", ""),
            }
            for c in ordered
        ],
    }


SECTION = Section(
    anchor="candidates", title="Search candidates", template=_TEMPLATE, values=_values
)
