"""The expectations of the table with their counts, and the rows that were dropped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from job.adapters.rendering.sections.section import Section
from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.metadata import Metadata
from job.contracts.reports.validation import RuleResult, ValidationReport

_TEMPLATE: Final = """
<p>This section shows what was checked in the table before the split: the expectations of suite
{{ suite }}, and the built-in rules.
{{ n_met|count }} of {{ n_applicable|count }} are met, and {{ n_dropped|count }} of
{{ n_rows|count }} rows were dropped.</p>
<div class="scroll" role="region" tabindex="0" aria-label="Expectations"><table>
<caption>Unmet expectations first.
An unmet warning drops no row; a critical expectation drops rows up to its tolerance.</caption>
<thead><tr><th scope="col">Expectation</th><th scope="col">Column</th><th scope="col">Severity</th>
<th scope="col" class="n">Rows checked</th><th scope="col" class="n">Rows that violate it</th>
<th scope="col">Bounds</th><th scope="col">Result</th></tr></thead>
<tbody>{% for rule in rules %}<tr><th scope="row">{{ rule.rule|breakable }}</th>
<td>{{ rule.column or "(table)" }}</td><td>{{ rule.severity }}</td>
<td class="n">{{ rule.n_rows|count }}</td><td class="n">{{ rule.n_broken|count }}</td>
<td>{% for name, bound in rule.thresholds.items() %}{{ name|words }} {{ bound|plain }}\
{{ ", " if not loop.last }}{% endfor %}</td>
<td{% if not rule.is_met %} class="strong"{% endif %}>{{ result(rule) }}</td></tr>
{% endfor %}</tbody></table></div>
{% if dropped %}<div class="scroll" role="region" tabindex="0" aria-label="Dropped rows"><table>
<caption>Dropped rows, by the first expectation that they violate.</caption>
<thead><tr><th scope="col">Column and expectation</th><th scope="col" class="n">Rows</th></tr>
</thead>
<tbody>{% for name, n in dropped %}<tr><th scope="row">{{ name|breakable }}</th>
<td class="n">{{ n|count }}</td></tr>
{% endfor %}</tbody></table></div>{% endif %}
"""


def make_section(validation: ValidationReport | None) -> Section:
    """Return the section of a validation; without one, the page omits the section."""
    values = None if validation is None else _values(validation)

    def give_values(_metadata: Metadata, _evaluation: Evaluation) -> Mapping[str, object] | None:
        return values

    return Section(
        anchor="expectations", title="Expectations", template=_TEMPLATE, values=give_values
    )


def _values(validation: ValidationReport) -> Mapping[str, object]:
    applicable = [rule for rule in validation.results if rule.is_applicable]
    return {
        "suite": validation.suite,
        "n_applicable": len(applicable),
        "n_met": sum(rule.is_met for rule in applicable),
        "n_rows": validation.n_rows,
        "n_dropped": validation.n_dropped,
        "rules": sorted(validation.results, key=_rank),
        "dropped": sorted(validation.dropped_by_rule.items()),
        "result": _describe_result,
    }


def _rank(rule: RuleResult) -> int:
    """Return the place in the table: unmet rules, met rules, and rules that do not apply."""
    return 2 if not rule.is_applicable else int(rule.is_met)


def _describe_result(rule: RuleResult) -> str:
    if not rule.is_applicable:
        return "not checked: the table lacks the column"
    if rule.has_failed_to_run:
        return "could not be checked"
    if rule.is_met:
        return "met"
    found = [] if rule.observed is None else [f"found {rule.observed:g}"]
    if rule.looks_like is not None:
        found.append(f"looks like {rule.looks_like.replace('_', ' ')}")
    return ": ".join(["not met", *([", ".join(found)] if found else [])])
