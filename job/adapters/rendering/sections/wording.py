"""How varied the table's wording is, and the accuracy by similarity to the training rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from job.adapters.rendering.methods import HOLDS_FOR
from job.adapters.rendering.sections.section import Section
from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.metadata import Metadata
from job.contracts.reports.wording import Wording

_TEMPLATE = """
<p>This section shows how varied the wording of the table is{% if bins %}, and how accurate the
model is on wording that is new to it{% endif %}. <strong>{{ holds_for }}</strong>{% if bins %} Rows
of low similarity, if any, show the accuracy on requests that are worded differently.{% endif %}</p>
<dl class="facts">
{% for name, value in facts %}<div><dt>{{ name }}</dt><dd>{{ value }}</dd></div>
{% endfor %}</dl>
{% if templates.is_templated %}<p>Most rows come from sentence templates: groups of at least
{{ templates.min_rows }} near-duplicate rows.</p>{% endif %}
{% if bins %}<div class="scroll" role="region" tabindex="0" aria-label="Accuracy by similarity">
<table><caption>Accuracy by the similarity of a row to the nearest {{ nearest }} of the model that
predicted it. The interval is the {{ s.level|percent }} confidence interval over groups.
{{ s.n_rows|count }} rows were compared: {{ s.n_sampled_items|count }} of {{ s.n_items|count }}
distinct {{ items }} with {{ s.n_sampled_trained_items|count }} of
{{ s.n_trained_items|count }} in the training rows.</caption>
<thead><tr><th scope="col">Similarity</th><th scope="col" class="n">Rows</th>
<th scope="col" class="n">Groups</th><th scope="col" class="n">Accuracy</th>
<th scope="col" class="n">Interval</th></tr></thead>
<tbody>{% for r in bins %}<tr><th scope="row">{{ r.lower }} to {{ r.upper }}</th>
<td class="n">{{ r.n_rows|count }}</td><td class="n">{{ r.n_groups|count }}</td>
<td class="n strong">{{ r.accuracy|score if r.n_rows else "no such rows" }}</td>
<td class="n">{% if r.interval %}{{ r.interval.lower|score }} to {{ r.interval.upper|score }}\
{% elif r.n_rows %}too few groups{% endif %}</td></tr>
{% endfor %}</tbody></table></div>{% endif %}
{% if embeddings %}<p>{% if embeddings.is_standardized %}The embedding columns look standardized \
per batch. The same text then has different values in another batch, and the scores apply only to \
embeddings that are standardized together with this table's.{% else %}The embedding columns do not \
look standardized per batch.{% endif %} Median over the columns of |mean| / standard deviation:
{{ embeddings.mean_ratio|score }}; share of columns with one of the two most common standard
deviations: {{ embeddings.scale_share|score }}; standard deviation of the rows' lengths divided by
their mean: {{ embeddings.length_variation|score }}.</p>{% endif %}
"""
_ITEMS: Final = {"text": "texts", "embedding": "embeddings", "row": "rows"}
_NEAREST: Final = {"text": "training text", "embeddings": "training embedding"}


def _values(_: Metadata, evaluation: Evaluation) -> Mapping[str, object] | None:
    wording = evaluation.wording
    if wording is None:
        return None
    similarity = wording.similarity
    return {
        "holds_for": HOLDS_FOR,
        "items": _ITEMS[wording.items],
        "facts": _list_facts(wording),
        "templates": wording.templates,
        "s": similarity,
        "nearest": _NEAREST[similarity.of] if similarity else "",
        "bins": similarity.bins if similarity else (),
        "embeddings": wording.standardization,
    }


def _list_facts(wording: Wording) -> list[tuple[str, str]]:
    """Return names and values of the counts and shares, in the order of the page."""
    table, judged, templates = wording.table, wording.judged, wording.templates
    largest = max(templates.largest, default=0)
    facts = [
        ("rows in the table", f"{table.n_rows:,}"),
        (f"distinct {_ITEMS[wording.items]}", f"{wording.n_items:,}"),
        ("groups", f"{table.n_groups:,}"),
        ("effective number of groups", f"{table.n_effective_groups:,}"),
        ("sentence templates", f"{templates.n_templates:,}"),
        ("share of rows from sentence templates", f"{templates.share:.4f}"),
        ("share of rows in the largest group of near-duplicates", f"{largest:.4f}"),
        ("evaluated rows", f"{judged.n_rows:,}"),
        ("groups of the evaluated rows", f"{judged.n_groups:,}"),
        ("effective number of groups of the evaluated rows", f"{judged.n_effective_groups:,}"),
    ]
    similarity = wording.similarity
    if similarity:
        is_new = f"evaluated rows with new wording (similarity below {similarity.new_below})"
        facts += [
            ("median similarity of an evaluated row", f"{similarity.median:.4f}"),
            (is_new, f"{similarity.n_new_rows:,}"),
        ]
    return facts


SECTION = Section(anchor="wording", title="Wording", template=_TEMPLATE, values=_values)
