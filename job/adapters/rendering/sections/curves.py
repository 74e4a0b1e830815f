"""ROC and precision-recall curves, one class against the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from markupsafe import Markup

from job.adapters.rendering.charts import N_COLOURS, Line, line_chart
from job.adapters.rendering.formatting import score
from job.adapters.rendering.sections.section import Section

_TEMPLATE = """
<p>Each class against the rest.
{% if n_hidden %}The {{ n_named }} lowest are named, the others are drawn in gray.{% endif %}</p>
<div class="charts"><figure>{{ roc }}<figcaption>ROC, with the area beside the name</figcaption>
</figure><figure>{{ pr }}<figcaption>Precision by recall, with the average precision beside the
name</figcaption></figure></div>
"""
_DIAGONAL: Final = Line(x=(0, 1), y=(0, 1))


def draw_curves(evaluation: dict[str, Any]) -> dict[str, Markup]:
    """Draw both charts by name; none where no curve is defined."""
    if not evaluation.get("curves"):
        return {}
    return {
        "roc": line_chart(
            _lines(evaluation, "false_positive_rate", "true_positive_rate", "roc_auc"),
            "ROC curves of the classes",
            x_label="False positive rate",
            y_label="True positive rate",
            reference=_DIAGONAL,
        ),
        "pr": line_chart(
            _lines(evaluation, "recall", "precision", "pr_auc"),
            "Precision-recall curves of the classes",
            x_label="Recall",
            y_label="Precision",
        ),
    }


def _lines(evaluation: dict[str, Any], x: str, y: str, area: str) -> Sequence[Line]:
    """Return the curves, the lowest first; only as many have a name as there are colors."""
    per_class = evaluation["per_class"]
    ordered = sorted(evaluation["curves"], key=lambda name: (per_class[name][area], name))
    return [
        Line(
            x=evaluation["curves"][name][x],
            y=evaluation["curves"][name][y],
            name=name if n < N_COLOURS else None,
            note=score(per_class[name][area]),
        )
        for n, name in enumerate(ordered)
    ]


def _values(_: dict[str, Any], evaluation: dict[str, Any]) -> dict[str, Any] | None:
    charts = draw_curves(evaluation)
    if not charts:
        return None
    n_hidden = max(0, len(evaluation["curves"]) - N_COLOURS)
    return {**charts, "n_hidden": n_hidden, "n_named": N_COLOURS}


SECTION = Section(anchor="curves", title="Curves", template=_TEMPLATE, values=_values)
