"""Scores of the published model on the challenge set, shown before the scores on the table."""

from __future__ import annotations

from collections.abc import Mapping

from job.adapters.rendering.challenge import describe_challenge, list_challenge_scores
from job.adapters.rendering.charts import draw_score, scale_of
from job.adapters.rendering.sections.confusion import list_confused
from job.adapters.rendering.sections.section import Section
from job.contracts.metrics import METRICS
from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.metadata import Metadata

_TEMPLATE = """
{% for text in texts %}<p>{{ text }}</p>{% endfor %}
<div class="scroll" role="region" tabindex="0" aria-label="Scores on the challenge set"><table>
<caption>Scores of the published model on real requests in people's own words.</caption>
<thead><tr><th scope="col">Metric</th><td class="dotted"></td><th scope="col" class="n">Score</th>
<th scope="col" class="n">Interval</th></tr></thead>
<tbody>{% for r in rows %}<tr><th scope="row">{{ r.score.name }}</th>\
<td class="dotted">{{ r.dots }}</td>
<td class="n strong">{{ r.score.value|score }}</td><td class="n">{% if r.score.interval %}\
{{ r.score.interval.lower|score }} to {{ r.score.interval.upper|score }}{% endif %}</td></tr>
{% endfor %}</tbody></table></div>
<div class="scroll tall" role="region" tabindex="0" aria-label="Classes of the challenge set">
<table class="sortable"><caption>Scores of each class, lowest recall first.</caption>
<thead><tr><th scope="col">Class</th><th scope="col" class="n" aria-sort="ascending">Recall</th>
<th scope="col" class="n">Interval</th><th scope="col" class="n">Precision</th>
<th scope="col" class="n">F1</th><th scope="col" class="n">Requests</th></tr></thead>
<tbody>{% for r in classes %}<tr><th scope="row">{{ r.name|breakable }}</th>
<td class="n">{{ r.scores.recall|score }}</td><td class="n">{% if r.interval %}
{{ r.interval.lower|score }} to {{ r.interval.upper|score }}{% endif %}</td>
<td class="n">{{ r.scores.precision|score }}</td><td class="n">{{ r.scores.f1|score }}</td>
<td class="n">{{ r.scores.n_test|count }}</td></tr>
{% endfor %}</tbody></table></div>
{% if pairs %}<div class="scroll" role="region" tabindex="0"
aria-label="Most confused classes of the challenge set">
<table><caption>Most frequent confusions of two classes.</caption>
<thead><tr><th scope="col">True class</th><th scope="col">Predicted as</th>
<th scope="col" class="n">Requests</th>
<th scope="col" class="n">Requests of the true class</th></tr></thead>
<tbody>{% for p in pairs %}<tr><td>{{ p.true|breakable }}</td><td>{{ p.predicted|breakable }}</td>
<td class="n">{{ p.n|count }}</td><td class="n">{{ p.of|count }}</td></tr>
{% endfor %}</tbody></table></div>{% endif %}
"""


def _values(_: Metadata, evaluation: Evaluation) -> Mapping[str, object] | None:
    challenge = evaluation.challenge
    if challenge is None:
        return None
    scores = list_challenge_scores(challenge)
    drawn = [score for score in scores if METRICS[score.key].is_share]
    scale = scale_of([s.interval.lower if s.interval else s.value for s in drawn])
    recalls = {name: found.get("recall") for name, found in challenge.intervals.per_class.items()}
    ordered = sorted(challenge.per_class.items(), key=lambda item: (item[1].recall, item[0]))
    return {
        "texts": describe_challenge(evaluation),
        "rows": [
            {"score": s, "dots": draw_score(scale, s.value, s.interval) if s in drawn else ""}
            for s in scores
        ],
        "classes": [
            {"name": name, "interval": recalls.get(name), "scores": scores}
            for name, scores in ordered
        ],
        "pairs": list_confused(challenge.classes, challenge.confusion),
    }


SECTION = Section(anchor="challenge", title="Challenge set", template=_TEMPLATE, values=_values)
