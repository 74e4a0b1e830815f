"""Draw the figures, and write the report and the model card."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any, Final

import jinja2
import matplotlib

matplotlib.use("svg")
from matplotlib.figure import Figure

_STYLE: Final = {"svg.hashsalt": "pcc", "svg.fonttype": "none", "font.family": "sans-serif"}
_MAX_CURVES: Final = 12
_MAX_NAMED: Final = 15

_REPORT: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ m.model_version }}</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;margin:1rem 0}td,th{border:1px solid #bbb;padding:.2rem .6rem}
td{text-align:right}td:first-child,th:first-child{text-align:left}svg{max-width:100%;height:auto}
</style></head><body>
<h1>{{ m.model_version }}</h1>
<p>{{ m.classifier }} on {{ m.input.kind }}, trained on {{ m.trained_on.n_train }} rows,
judged on {{ e.n_test }} held-out rows.
{{ "Accepted" if e.gate.is_accepted else "Rejected" }} by the gate.</p>
<h2>Data and model</h2><table>
{% for k, v in facts.items() %}<tr><td>{{ k }}</td><td>{{ v }}</td></tr>{% endfor %}</table>
<h2>Scores</h2><table><tr><th>metric</th><th>model</th>
{% for b in e.baselines %}<th>{{ b }}</th>{% endfor %}</tr>
{% for k, v in e.scores.items() %}<tr><td>{{ k }}</td><td>{{ "%.4f"|format(v) }}</td>
{% for b in e.baselines.values() %}<td>{{ "%.4f"|format(b[k]) if k in b else "" }}</td>{% endfor %}
</tr>{% endfor %}</table>
<h2>Gate</h2>{% if e.gate.override %}<p>Published against the gate: {{ e.gate.override }}</p>
{% endif %}<table><tr><th>criterion</th><th>met</th><th>value</th><th>interval</th><th>reason</th>
</tr>{% for c in e.gate.criteria %}<tr><td>{{ c.name }}</td>
<td>{{ "yes" if c.is_met else "no" }}</td><td>{{ "%.4f"|format(c.value) if c.value is not none }}
</td><td>{% if c.lower is not none %}{{ "%.4f to %.4f"|format(c.lower, c.upper) }}{% endif %}</td>
<td>{{ c.reason }}</td></tr>{% endfor %}</table>
<h2>Classes</h2><table><tr><th>class</th><th>rows</th><th>precision</th><th>recall</th><th>F1</th>
<th>ROC-AUC</th><th>PR-AUC</th></tr>
{% for name, c in e.per_class.items() %}<tr><td>{{ name }}</td><td>{{ c.n_test }}</td>
{% for k in ("precision", "recall", "f1", "roc_auc", "pr_auc") %}
<td>{{ "%.3f"|format(c[k]) if k in c else "" }}</td>{% endfor %}</tr>{% endfor %}</table>
{% if confused %}<h2>Most confused</h2><table><tr><th>true class</th><th>predicted as</th>
<th>rows</th></tr>
{% for a, b, n in confused %}<tr><td>{{ a }}</td><td>{{ b }}</td><td>{{ n }}</td></tr>{% endfor %}
</table>{% endif %}
{% for name, svg in figures.items() %}<h2>{{ name }}</h2>{{ svg|safe }}{% endfor %}
<h2>Search by {{ e.search.metric }}</h2>
{% if e.search.is_cut_short %}<p>Time was over before the search had ended
(search.max_seconds): this is the best so far.</p>{% endif %}
<table><tr><th>candidate</th><th>input</th><th>rows</th><th>mean</th><th>folds</th><th></th></tr>
{% for c in e.search.candidates %}<tr><td>{{ c.estimator }} {{ c.parameters }}</td>
<td>{{ c.input|join(", ") }}</td><td>{{ c.n_samples }}</td>
<td>{{ "%.4f"|format(c.mean_score) }}</td>
<td>{% for s in c.fold_scores %}{{ "%.4f "|format(s) }}{% endfor %}</td>
<td>{{ {"halved": "not kept for more rows", "beaten": "stopped: could not win"}[c.ended]
if c.ended else "" }}</td></tr>{% endfor %}</table>
<h2>Limitations</h2><ul>{% for l in m.limitations %}<li>{{ l }}</li>{% endfor %}</ul>
</body></html>
"""

_CARD: Final = """# Model card: {{ m.model_version }}

## Intended use

{% if m.settings.publish.intended_use %}{{ m.settings.publish.intended_use }}
{% else %}Sort {{ inputs }} into the classes {{ e.classes|map("plain")|join(", ") }}.
{% endif %}

## Data

{{ m.dataset.n_rows }} rows from `{{ m.dataset.uri }}` ({{ m.dataset.content_digest }}).
{% if m.dataset.description %}The table says of itself: {{ m.dataset.description|plain }}.
{% endif %}
{{ m.trained_on.n_train }} rows were trained on, {{ e.n_test }} were held out by {{ m.split.key }}.

## Model

{{ m.classifier }} with {{ m.hyperparameters }}, random state {{ m.random_state }}.

## Scores on the hold-out

| metric | model |{% for b in e.baselines %} {{ b }} |{% endfor %}

|---|---:|{% for b in e.baselines %}---:|{% endfor %}

{% for k, v in e.scores.items() %}
| {{ k }} | {{ "%.4f"|format(v) }} |
{%- for b in e.baselines.values() %} {{ "%.4f"|format(b[k]) if k in b else "" }} |{% endfor %}

{% endfor %}

## Limitations found in this run

{% for l in m.limitations %}
- {{ l }}
{% endfor %}"""
_INPUTS: Final = {"embeddings": "embeddings", "text": "texts", "dataframe": "rows"}


class Pages:
    """The renderer: everything in one file, nothing from the web."""

    def render(self, metadata: dict[str, Any], evaluation: dict[str, Any]) -> dict[str, bytes]:
        """Give report.html, model_card.md and figures/*.svg by name."""
        with matplotlib.rc_context(_STYLE):
            figures = {
                "Confusion matrix": _confusion(evaluation),
                "ROC curves": _curves(evaluation, "false_positive_rate", "true_positive_rate"),
                "Precision and recall": _curves(evaluation, "recall", "precision"),
            }
        inputs = _INPUTS[metadata["input"]["kind"]]
        values = {"m": metadata, "e": evaluation, "inputs": inputs}
        page = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
        card = jinja2.Environment(
            autoescape=False,  # noqa: S701  # Markdown: `plain` is its escape
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,  # a blank line would end a table
        )
        card.filters["plain"] = _plain
        report = page.from_string(_REPORT).render(
            **values, figures=figures, facts=_facts(metadata), confused=_confused(evaluation)
        )
        files = {
            "report.html": report.encode(),
            "model_card.md": (card.from_string(_CARD).render(**values).rstrip() + "\n").encode(),
        }
        for name, svg in figures.items():
            files[f"figures/{name.lower().replace(' ', '_')}.svg"] = svg.encode()
        return files


def _facts(metadata: dict[str, Any]) -> dict[str, Any]:
    """Name what the model came of, and by which digests it is found again."""
    dataset, parameters = metadata["dataset"], metadata["hyperparameters"].items()
    return {
        "dataset": dataset["uri"],
        "says of itself": dataset["description"] or "nothing",
        "rows": dataset["n_rows"],
        "content digest": dataset["content_digest"],
        "file digest": dataset["file_digest"],
        "settings digest": metadata["settings_digest"],
        "estimator": metadata["classifier"],
        "hyperparameters": ", ".join(f"{name} = {value}" for name, value in parameters) or "none",
        "random state": metadata["random_state"],
    }


def _confused(evaluation: dict[str, Any]) -> list[tuple[str, str, int]]:
    """List the classes most often taken for another, where the matrix cannot name them."""
    classes, counts = evaluation["classes"], evaluation["confusion"]
    if len(classes) <= _MAX_NAMED:
        return []
    pairs = [
        (name, classes[n], count)
        for name, row in zip(classes, counts, strict=True)
        for n, count in enumerate(row)
        if count and classes[n] != name
    ]
    return sorted(pairs, key=lambda pair: (-pair[2], pair))[:_MAX_NAMED]


def _plain(text: str) -> str:
    """Make a class name mean nothing in Markdown: one line, no HTML, no markup."""
    return re.sub(r"([\\`*_{}\[\]<>#|!&])", r"\\\1", " ".join(text.split()))


def _svg(draw: Callable[[Any], None], size: tuple[float, float]) -> str:
    figure = Figure(figsize=size, layout="constrained")
    draw(figure.subplots())
    stream = io.StringIO()
    figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    text = stream.getvalue()
    return text[text.index("<svg") :]


def _confusion(evaluation: dict[str, Any]) -> str:
    classes, counts = evaluation["classes"], evaluation["confusion"]

    def draw(axes: Any) -> None:
        axes.imshow(counts, cmap="Blues")
        axes.set(xlabel="predicted", ylabel="true")
        small = len(classes) <= _MAX_NAMED
        ticks = range(len(classes)) if small else []
        names = classes if small else []
        axes.set_xticks(ticks, names, rotation=45, ha="right")
        axes.set_yticks(ticks, names)
        most = max(max(row) for row in counts)
        for y, row in enumerate(counts if small else ()):
            for x, n in enumerate(row):
                axes.text(x, y, n, ha="center", va="center", color="w" if n > most / 2 else "k")

    return _svg(draw, (6, 5))


def _curves(evaluation: dict[str, Any], x: str, y: str) -> str:
    curves = sorted(
        evaluation["curves"].items(),
        key=lambda kv: (-evaluation["per_class"][kv[0]]["n_test"], kv[0]),
    )

    def draw(axes: Any) -> None:
        for name, points in curves[:_MAX_CURVES]:
            axes.plot(points[x], points[y], label=name)
        axes.set(
            xlabel=x.replace("_", " "), ylabel=y.replace("_", " "), xlim=(0, 1), ylim=(0, 1.02)
        )
        if curves:
            axes.legend(fontsize="small")

    return _svg(draw, (6, 5))
