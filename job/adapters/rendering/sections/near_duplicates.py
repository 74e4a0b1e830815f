"""Near-duplicates in the table, and the accuracy that a random split would report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from job.adapters.rendering.sections.section import Section
from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.metadata import Metadata

_TEMPLATE = """
<p>This section shows {% if facts %}how many texts of the table are near-duplicates{% endif %}\
{% if facts and optimism %}, and {% endif %}{% if optimism %}the accuracy that a random split would
report{% endif %}.</p>
{% if facts %}<dl class="facts">
{% for name, value in facts %}<div><dt>{{ name }}</dt><dd>{{ value|number }}</dd></div>
{% endfor %}</dl>{% endif %}
{% if sizes %}<p>Rows in the largest groups of near-duplicates: {{ sizes|plain }}.</p>{% endif %}
{% if optimism %}<div class="scroll" role="region" tabindex="0" \
aria-label="Optimism of a random split"><table>
<caption>Accuracy of {{ optimism.estimator|words }} in a cross-validation of
{{ optimism.n_rows|count }} rows with {{ optimism.folds }} folds.</caption>
<thead><tr><th scope="col">Split</th><th scope="col" class="n">Accuracy</th></tr></thead>
<tbody><tr><th scope="row">at random, row by row</th>
<td class="n">{{ optimism.random_accuracy|score }}</td></tr>
<tr><th scope="row">by whole groups, without leakage</th>
<td class="n strong">{{ optimism.leakage_safe_accuracy|score }}</td></tr></tbody></table></div>
{% endif %}
"""
_COUNTS: Final = {
    "n_exact_duplicates": "rows whose text is that of an earlier row",
    "n_near_duplicates": "distinct texts in groups of near-duplicates, minus the number of groups",
    "n_groups": "groups of near-duplicates, each on one side of the split",
    "n_near_official_test": "training rows kept although they are near-duplicates of test rows",
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
