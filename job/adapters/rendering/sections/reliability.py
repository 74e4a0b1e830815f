"""Calibration, the risk-coverage curve, and the decision threshold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from markupsafe import Markup

from job.adapters.rendering.charts import Line, line_chart
from job.adapters.rendering.formatting import count
from job.adapters.rendering.methods import judged_rows, method_of
from job.adapters.rendering.sections.section import Section
from job.contracts.reports.decision_threshold import Decision, ThresholdStatus
from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.metadata import Metadata
from job.contracts.reports.scores import Bins, RiskCoverage

_MAX_CLASSES: Final = 10
_DIAGONAL: Final = Line(x=(0, 1), y=(0, 1))
_TEMPLATE = """
<p>This section shows how well the model's confidence (the probability of the predicted class)
matches its accuracy{% if decision %}, and the confidence below which a request should not be
answered{% endif %}.</p>
{% if decision %}{% if status == "chosen" %}<p>Answer a request only if the confidence is at least
<strong>{{ decision.threshold|number }}</strong>. This is the lowest confidence at which
{{ decision.target_precision|percent }} of the answers were shown to be correct, on
{{ decision.n_chosen_on|count }} {{ chosen_on }} predicted by models that were not trained on them\
{% if is_calibrated %} (with decision values calibrated on the rows of the other folds)\
{% endif %}.
{% elif status == "not_needed" %}<p>No threshold is needed: a precision of
{{ decision.target_precision|percent }} was shown for all answers together and for each class, on
{{ decision.n_chosen_on|count }} {{ chosen_on }} predicted by models that were not trained on them.
{% else %}<p class="note">No threshold is published for a precision of
{{ decision.target_precision|percent }}; there were {{ decision.n_chosen_on|count }} {{ chosen_on }}
to choose it on.
{% if decision.reason %}{{ decision.reason }}{% endif %}
{% endif %}
{% if decision.coverage %}On {{ measured }}{{ chosen_by }}, {{ decision.n_answered|count }} of
{{ n_measured|count }} rows are answered (coverage {{ decision.coverage.value|score }}, interval
{{ decision.coverage.lower|score }} to {{ decision.coverage.upper|score }})\
{% if decision.precision %}. The precision of these answers is {{ decision.precision.value|score }}
(interval {{ decision.precision.lower|score }} to \
{{ decision.precision.upper|score }}){% endif %}.{% endif %}</p>
{% endif %}
{% if temperature %}<p>The logits are divided by a temperature of
{{ temperature.temperature|number }}, which was fitted to out-of-fold predictions. On {{ judged }},
this changed the calibration error from {{ temperature.before.calibration_error|score }} to
{{ temperature.after.calibration_error|score }} and the log loss from
{{ temperature.before.log_loss|score }} to {{ temperature.after.log_loss|score }}.</p>{% endif %}
<div class="charts">{% if diagram %}<figure>{{ diagram }}<figcaption>Share of correct answers by
confidence, in bins of equal numbers of rows; below the diagonal the model is overconfident
</figcaption></figure>
{% endif %}{% if curve %}<figure>{{ curve }}<figcaption>Share of wrong answers by the share of rows
that are answered, most confident rows first; the mean is {{ area|score }}</figcaption>
</figure>{% endif %}
</div>
{% if rows %}<details><summary>Bins as a table</summary>
<div class="scroll" role="region" tabindex="0" aria-label="Bins of the reliability diagram"><table>
<thead><tr><th scope="col" class="n">Mean confidence</th>
<th scope="col" class="n">Share of correct answers</th>
<th scope="col" class="n">Rows</th></tr></thead><tbody>{% for confidence, accuracy, n in rows %}<tr>
<td class="n">{{ confidence|score }}</td><td class="n">{{ accuracy|score }}</td>
<td class="n">{{ n|count }}</td></tr>{% endfor %}</tbody></table></div></details>{% endif %}
{% if classes %}<div class="scroll" role="region" tabindex="0"
aria-label="Calibration of the classes"><table class="sortable">
<caption>Classes with the largest calibration error, each against all other classes.</caption>
<thead><tr><th scope="col">Class</th>
<th scope="col" class="n" aria-sort="descending">Calibration error</th>
<th scope="col" class="n">Brier score</th></tr></thead><tbody>{% for name, c in classes %}
<tr><th scope="row">{{ name|breakable }}</th><td class="n">{{ c.calibration_error|score }}</td>
<td class="n">{{ c.brier|score }}</td></tr>{% endfor %}</tbody></table></div>{% endif %}
"""


def _values(_: Metadata, evaluation: Evaluation) -> Mapping[str, object] | None:
    reliability = evaluation.reliability
    if reliability is None:
        return None
    decision, risk, bins = evaluation.decision, evaluation.risk_coverage, reliability.bins
    is_svc = evaluation.search.chosen.estimator == "linear_svc"
    classes = sorted(
        reliability.per_class.items(), key=lambda item: (-item[1].calibration_error, item[0])
    )
    return {
        "decision": decision,
        "status": _status_of(decision),
        "judged": judged_rows(evaluation),
        **_describe_decision(evaluation),
        "is_calibrated": is_svc and not _is_of_challenge(decision),
        "temperature": evaluation.temperature,
        "rows": list(zip(bins.confidence, bins.accuracy, bins.n_rows, strict=True)),
        "diagram": _draw_diagram(bins),
        "curve": None if risk is None else _draw_risk(risk),
        "area": None if risk is None else risk.area,
        "classes": classes[:_MAX_CLASSES],
    }


def _is_of_challenge(decision: Decision | None) -> bool:
    return decision is not None and decision.learned_on == "challenge"


def _describe_decision(evaluation: Evaluation) -> Mapping[str, object]:
    """Describe the rows that the threshold was chosen on, and the rows that it was measured on.

    The mapping is empty if no threshold was learned.
    """
    decision, challenge = evaluation.decision, evaluation.challenge
    if decision is None:
        return {}
    rows, measured = "rows", judged_rows(evaluation)
    is_folded = method_of(evaluation) == "cross_fit"
    if _is_of_challenge(decision) and challenge:
        is_halved = challenge.judged == "half"
        rows, is_folded = "requests of the challenge set", not is_halved
        measured = "the other half of the challenge set" if is_halved else "the challenge set"
    n_measured = decision.n_measured_on
    return {
        "chosen_on": f"{rows} in {count(decision.n_groups_chosen_on)} groups",
        "measured": measured,
        "chosen_by": ", with a threshold that was chosen on the other folds for each fold"
        if is_folded
        else ", which was not used to choose it",
        "n_measured": evaluation.n_test if n_measured is None else n_measured,
    }


def _status_of(decision: Decision | None) -> ThresholdStatus | None:
    """Return the status of the threshold; for earlier releases, infer it from the value."""
    if decision is None:
        return None
    return decision.status or ("not_shown" if decision.threshold is None else "chosen")


def _draw_diagram(bins: Bins) -> Markup | None:
    if not bins.n_rows:
        return None
    return line_chart(
        [Line(x=bins.confidence, y=bins.accuracy, name="this model")],
        "Reliability diagram",
        x_label="Confidence",
        y_label="Share of correct answers",
        reference=_DIAGONAL,
    )


def _draw_risk(risk: RiskCoverage) -> Markup:
    return line_chart(
        [Line(x=risk.coverage, y=risk.risk, name="this model")],
        "Risk-coverage curve",
        x_label="Share of rows answered",
        y_label="Share of wrong answers",
    )


SECTION = Section(
    anchor="reliability", title="Confidence and abstention", template=_TEMPLATE, values=_values
)
