"""The candidates that the search compared."""

from __future__ import annotations

from collections.abc import Mapping

from job.adapters.rendering.formatting import metric_name, plain_value
from job.adapters.rendering.sections.section import Section
from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.metadata import Metadata

_TEMPLATE = """
<p>This section lists the candidates (estimator, hyperparameters and input) that the search
compared.</p>
{% if is_cut_short %}<p class="note">The search stopped at its time limit
(<code>search.max_seconds</code>); the best of the candidates compared until then was
chosen.</p>{% endif %}
{% if prefers_wording %}<p>Most rows come from sentence templates. On such rows, cross-validation
does not show which candidate is better on requests that are worded differently. Prototypes are
better on such requests, so the best prototype candidate is chosen, unless another candidate scores
more than 15 points higher (<code>search.prefer</code>).</p>{% endif %}
<div class="scroll tall" role="region" tabindex="0" aria-label="Candidates of the search">
<table class="sortable"><caption>Candidates by their mean {{ metric }} over the folds\
{% if is_challenged %}; the score on the challenge set decided the choice{% endif %}.</caption>
<thead><tr><th scope="col">Candidate</th><th scope="col">Input</th>
<th scope="col" class="n">Rows</th>
<th scope="col" class="n" aria-sort="descending">Mean score</th>
{% if is_challenged %}<th scope="col" class="n">On the challenge set</th>{% endif %}
<th scope="col" class="n">Score of each fold</th><th scope="col">Outcome</th></tr></thead>
<tbody>{% for c in candidates %}<tr><th scope="row">{{ c.estimator|words }}<br>\
<small>{{ c.parameters|plain }}</small></th><td>{{ c.feature_blocks|join(", ") }}</td>
<td class="n">{{ c.n_samples|count }}</td><td class="n strong">{{ c.mean_score|score }}</td>
{% if is_challenged %}<td class="n strong">{{ c.challenge_score|score }}</td>{% endif %}
<td class="n">{% for s in c.fold_scores %}{{ s|score }} {% endfor %}</td>
<td>{{ c.outcome }}</td></tr>
{% endfor %}</tbody></table></div>
"""
_ENDED = {"halved": "eliminated by halving"}


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
