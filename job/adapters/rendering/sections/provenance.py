"""The origin of the model: digests, settings and environment."""

from __future__ import annotations

from collections.abc import Mapping

from job.adapters.rendering.formatting import count, plain_value
from job.adapters.rendering.sections.section import Section
from job.contracts.nesting import flatten
from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.metadata import Metadata

_TEMPLATE = """
<p>This section identifies the data, the settings and the code that the model was made from.</p>
<dl class="facts wide">
{% for name, value in digests %}<div><dt>{{ name }}</dt>
<dd><code class="copy">{{ value }}</code></dd></div>
{% endfor %}{% for name, value in facts %}<div><dt>{{ name }}</dt><dd>{{ value|plain }}</dd></div>
{% endfor %}</dl>
{% for title, rows in tables %}<details><summary>{{ title }}</summary>
<div class="scroll" role="region" tabindex="0" aria-label="{{ title }}"><table>
<caption>Values from <code>metadata.json</code>.</caption>
<thead><tr><th scope="col">Name</th><th scope="col">Value</th></tr></thead>
<tbody>{% for key, value in rows %}<tr><th scope="row"><code>{{ key|breakable }}</code></th>
<td class="words">{{ value|plain }}</td></tr>
{% endfor %}</tbody></table></div></details>{% endfor %}
"""


def _values(metadata: Metadata, evaluation: Evaluation) -> Mapping[str, object] | None:
    dataset, environment = metadata.dataset, metadata.environment
    digests = [
        ("version", metadata.model_version),
        ("run", metadata.run_id),
        ("digest of the table's content", dataset.content_digest),
        ("digest of the table's file", dataset.file_digest),
        ("digest of the test table's content", metadata.test_data_digest),
        ("digest of the challenge set's content", metadata.challenge_data_digest),
        ("digest of the out-of-scope set's content", metadata.out_of_scope_data_digest),
        ("settings", metadata.settings_digest),
        ("Git revision of the code", environment.git_revision),
    ]
    facts = {
        "table": dataset.uri,
        "trained at": metadata.trained_on.trained_at,
        "estimator": metadata.classifier,
        "hyperparameters": metadata.hyperparameters,
        "random state": metadata.random_state,
        "embedding model": metadata.embedding_model,
        "model file, bytes": evaluation.model_bytes,
        "largest difference of model.safetensors": _describe_plain_form(evaluation),
        "one-row latency, p50 and p95 in ms": dict(evaluation.latency),
    }
    tables = {
        "Settings": metadata.settings,
        "Environment": dict(sorted(environment.to_json().items())),
    }
    return {
        "digests": [(name, value) for name, value in digests if value],
        "facts": [(name, value) for name, value in facts.items() if value is not None],
        "tables": [(name, flatten(content)) for name, content in tables.items() if content],
    }


def _describe_plain_form(evaluation: Evaluation) -> str | None:
    proof = evaluation.plain_form
    if proof is None:
        return None
    n_rows = count(proof.n_rows + proof.n_hard_rows)
    return f"{plain_value(proof.largest_difference)} in a probability, on {n_rows} rows"


SECTION = Section(anchor="provenance", title="Provenance", template=_TEMPLATE, values=_values)
