"""ROC and precision-recall curves of each class against all other classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from markupsafe import Markup

from job.adapters.rendering.charts import N_COLOURS, Line, line_chart
from job.adapters.rendering.formatting import score
from job.adapters.rendering.sections.section import Section
from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.metadata import Metadata
from job.contracts.reports.scores import ClassScores, Curves

_TEMPLATE = """
<p>This section shows the curves of each class against all other classes.
{% if n_hidden %}The {{ n_named }} classes with the smallest area under the curve are named; the
others are drawn in gray.{% endif %}</p>
<div class="charts"><figure>{{ roc }}<figcaption>ROC curve; the number after a name is the area
under the curve</figcaption></figure><figure>{{ pr }}<figcaption>Precision-recall curve; the number
after a name is the average precision</figcaption></figure></div>
"""
_DIAGONAL: Final = Line(x=(0, 1), y=(0, 1))


def draw_curves(evaluation: Evaluation) -> dict[str, Markup]:
    """Return the charts `roc` and `pr` by name; empty if no curve is defined."""
    if not evaluation.curves:
        return {}
    return {
        "roc": line_chart(
            _lines(
                evaluation,
                lambda c: (c.false_positive_rate, c.true_positive_rate),
                lambda scores: scores.roc_auc,
            ),
            "ROC curves of the classes",
            x_label="False positive rate",
            y_label="True positive rate",
            reference=_DIAGONAL,
        ),
        "pr": line_chart(
            _lines(evaluation, lambda c: (c.recall, c.precision), lambda scores: scores.pr_auc),
            "Precision-recall curves of the classes",
            x_label="Recall",
            y_label="Precision",
        ),
    }


def _lines(
    evaluation: Evaluation,
    points: Callable[[Curves], tuple[Sequence[float], Sequence[float]]],
    area: Callable[[ClassScores], float | None],
) -> Sequence[Line]:
    """Return one curve per class, smallest area first; only the first `N_COLOURS` have names."""
    areas = {name: area(evaluation.per_class[name]) for name in evaluation.curves}
    lines = []
    for n, name in enumerate(sorted(areas, key=lambda name: (areas[name] or 0.0, name))):
        x, y = points(evaluation.curves[name])
        is_named = n < N_COLOURS
        lines.append(Line(x=x, y=y, name=name if is_named else None, note=score(areas[name])))
    return lines


def _values(_: Metadata, evaluation: Evaluation) -> Mapping[str, object] | None:
    charts = draw_curves(evaluation)
    if not charts:
        return None
    n_hidden = max(0, len(evaluation.curves) - N_COLOURS)
    return {**charts, "n_hidden": n_hidden, "n_named": N_COLOURS}


SECTION = Section(
    anchor="curves", title="ROC and precision-recall curves", template=_TEMPLATE, values=_values
)
