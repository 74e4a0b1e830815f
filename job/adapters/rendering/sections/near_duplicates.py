"""Near-duplicates of the table, and the score that a random split would have claimed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from job.adapters.rendering.sections.section import Section
from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.metadata import Metadata

_TEMPLATE = """
{% if facts %}<dl class="facts">
{% for name, value in facts %}<div><dt>{{ name }}</dt><dd>{{ value|number }}</dd></div>
{% endfor %}</dl>{% endif %}
{% if sizes %}<p>Rows in the largest groups of near-duplicates: {{ sizes|plain }}.</p>{% endif %}
{% if optimism %}<div class="scroll" role="region" tabindex="0" \
aria-label="Optimism of a random split"><table>
<caption>What a random split would have claimed: {{ optimism.estimator|words }} on
{{ optimism.n_rows|count }} rows, in {{ optimism.folds }} folds.</caption>
<thead><tr><th scope="col">Split</th><th scope="col" class="n">Accuracy</th></tr></thead>
<tbody><tr><th scope="row">at random, by rows</th>
<td class="n">{{ optimism.random_accuracy|score }}</td></tr>
<tr><th scope="row">as in this run, without leakage</th>
<td class="n strong">{{ optimism.leakage_safe_accuracy|score }}</td></tr></tbody></table></div>
{% endif %}
"""
_COUNTS: Final = {
    "n_exact_duplicates": "rows beyond the first of each text",
    "n_near_duplicates": "texts beyond the first of each group",
    "n_groups": "groups of near-duplicates, which stay on one side",
    "n_near_official_test": "training rows that nearly equal test rows, and stay",
}


def _values(_: Metadata, evaluation: Evaluation) -> Mapping[str, object] | None:
    duplicates, optimism = evaluation.split.near_duplicates, evaluation.split.optimism
    is_compared = duplicates.found_by != "none"
    if not is_compared and optimism is None:
        return None
    stated = duplicates.model_fields_set if is_compared else ()
    return {
        "facts": [(words, getattr(duplicates, k)) for k, words in _COUNTS.items() if k in stated],
        "sizes": duplicates.largest if is_compared else (),
        "optimism": optimism,
    }


SECTION = Section(
    anchor="near-duplicates", title="Near-duplicates", template=_TEMPLATE, values=_values
)
