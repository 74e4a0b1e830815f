"""Write the model card: YAML front matter for the model hub, then text for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import jinja2
import yaml

from job.adapters.rendering import formatting as words
from job.adapters.rendering.escaping import as_code, in_markdown, visible
from job.adapters.rendering.facts import is_about_privacy, list_facts
from job.adapters.rendering.methods import method_of
from job.adapters.rendering.report import read_template
from job.contracts.metrics import METRICS
from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.metadata import Metadata
from job.contracts.version_files import MODEL_FILE

_INPUTS: Final = {"embeddings": "embeddings", "text": "texts", "dataframe": "rows"}
# the hub's name and arguments of a metric, our title of it, and the score
_HubScore = tuple[tuple[str, tuple[tuple[str, str], ...]], str, float]


def render_card(metadata: Metadata, evaluation: Evaluation, figures: list[str]) -> str:
    """Return the model card; `figures` are the names of the image files that it shows."""
    environment = jinja2.Environment(
        autoescape=False,  # noqa: S701  # Markdown: `plain` and `code` are its escapes
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,  # a blank line would end a table
    )
    environment.filters |= {
        "plain": lambda value: in_markdown(words.plain_value(value)),
        "code": lambda value: as_code(words.plain_value(value)),
        "count": words.count,
        "metric": lambda name: in_markdown(words.metric_name(name)),
        "score": words.score,
    }
    text = environment.from_string(read_template("card.md")).render(
        m=metadata,
        e=evaluation,
        facts=list_facts(metadata, evaluation),
        inputs=_INPUTS[metadata.input.kind],
        figures=figures,
    )
    front = yaml.safe_dump(
        front_matter(metadata, evaluation), sort_keys=False, allow_unicode=False, width=10**6
    )
    return f"---\n{front}---\n\n{text.strip()}\n"


def front_matter(metadata: Metadata, evaluation: Evaluation) -> dict[str, object]:
    """Return the YAML front matter for the model hub; facts that are unknown are left out."""
    is_text = metadata.input.kind == "text"
    task = "text-classification" if is_text else "tabular-classification"
    hub_scores = _hub_scores(evaluation.scores)
    dataset = metadata.dataset
    is_private = is_about_privacy(metadata)
    split = "cross-fitted" if method_of(evaluation) == "cross_fit" else "test"
    return {
        "license": "unknown",
        "library_name": "sklearn",
        "pipeline_tag": task,
        "tags": ["sklearn", "intent-classification", *(["privacy"] if is_private else [])],
        "model_format": "pickle",
        "model_file": MODEL_FILE,
        "metrics": sorted({kind for (kind, _), _, _ in hub_scores}),
        "model-index": [
            {
                "name": metadata.model_version,
                "results": [
                    *_challenge_results(metadata, task, evaluation),
                    _results(dataset.uri, dataset.content_digest, task, hub_scores, split=split),
                ],
            }
        ],
    }


def _hub_scores(scores: Mapping[str, float]) -> list[_HubScore]:
    """Return the scores whose metrics have a name on the model hub, so the hub can show them."""
    return [
        (hub, METRICS[name].title, value)
        for name, value in scores.items()
        if name in METRICS and (hub := METRICS[name].hub) is not None
    ]


def _challenge_results(
    metadata: Metadata, task: str, evaluation: Evaluation
) -> list[dict[str, object]]:
    """Return the front matter's results on the challenge set; empty without such a set."""
    if evaluation.challenge is None:
        return []
    digest = metadata.challenge_data_digest or "unknown"
    scores = _hub_scores(evaluation.challenge.scores)
    return [_results("challenge set", digest, task, scores, split="challenge")]


def _results(
    uri: str, digest: str, task: str, scores: Sequence[_HubScore], *, split: str
) -> dict[str, object]:
    metrics = []
    for (kind, arguments), title, value in scores:
        entry = {"type": kind, "name": title, "value": value}
        metrics.append({**entry, "args": dict(arguments)} if arguments else entry)
    return {
        "task": {"type": task, "name": "Intent classification"},
        "dataset": {
            "type": "private",
            "name": visible(uri),
            "split": split,
            "revision": digest,
        },
        "metrics": metrics,
    }
