"""Copies that are not quite equal, and what a random split would have made of them."""

from __future__ import annotations

from typing import Any

from job.adapters.rendering.sections.section import Section

_TEMPLATE = """
{% if facts %}<dl class="facts">
{% for name, value in facts %}<div><dt>{{ name }}</dt><dd>{{ value|number }}</dd></div>
{% endfor %}</dl>{% endif %}
{% if sizes %}<p>Rows in the largest groups: {{ sizes|plain }}.</p>{% endif %}
{% if optimism %}<div class="scroll" role="region" tabindex="0" \
aria-label="Optimism of a random split"><table>
<caption>The same model judged by rows that have copies in training, and without them.</caption>
<thead><tr><th scope="col">Split</th><th scope="col" class="n">Score</th></tr></thead>
<tbody>{% for name, value in optimism %}<tr><th scope="row">{{ name }}</th>
<td class="n">{{ value|score }}</td></tr>
{% endfor %}</tbody></table></div>{% endif %}
"""


def _find(evaluation: dict[str, Any]) -> dict[str, Any]:
    """Fit to where the split's report keeps them; the only place that knows."""
    split = evaluation.get("split") or {}
    found: dict[str, Any] = split.get("near_duplicates") or {}
    return found


def _values(_: dict[str, Any], evaluation: dict[str, Any]) -> dict[str, Any] | None:
    found = _find(evaluation)
    optimism = found.get("optimism") or {}
    sizes = found.get("largest_groups") or []
    words = {
        "n_exact": "rows that equal another",
        "n_near": "rows that nearly equal another",
        "n_groups": "groups that stay on one side",
    }
    facts = [(text, found[key]) for key, text in words.items() if key in found]
    if not facts and not optimism and not sizes:
        return None
    names = {"random": "at random, by rows", "safe": "as in this run, without leakage"}
    return {
        "facts": facts,
        "sizes": sizes,
        "optimism": [(text, optimism[key]) for key, text in names.items() if key in optimism],
    }


SECTION = Section(
    anchor="near-duplicates", title="Near-duplicates", template=_TEMPLATE, values=_values
)
