"""The out-of-scope set in a run: read and check it, and predict it with the published model."""

from __future__ import annotations

from job.contracts.dataset import Dataset, Rows
from job.contracts.model import TrainedModel
from job.contracts.plan import Plan
from job.contracts.reports.decision_threshold import Decision
from job.contracts.reports.out_of_scope import OutOfScope
from job.pipeline.requests import read_requests
from job.pipeline.run_context import RunContext
from job.stages.data.challenge_validation import validate_out_of_scope
from job.stages.evaluation.out_of_scope import (
    make_empty_request,
    make_unlabelled_rows,
    measure_out_of_scope,
)
from job.stages.features.preprocessing import select_blocks
from job.stages.metrics.predictions import predict
from job.stages.packaging.metadata import name_embedding_model
from job.stages.split.split import DataSplit


def load_out_of_scope(context: RunContext, uri: str, *, table: Dataset) -> tuple[Rows, str]:
    """Read the out-of-scope set, and raise if the candidates cannot predict it.

    Returns
    -------
    rows, content_digest
        Rows of the set, which have no labels, and the digest of their content.
    """
    s = context.settings
    dataset = read_requests(context, uri, name="out_of_scope", required=frozenset())
    with context.stage("validate"):
        validate_out_of_scope(
            dataset,
            table,
            uses=s.search.inputs or (s.features.use,),
            columns=s.dataset.columns,
            embedding_model=name_embedding_model(table, s.publish),
        )
    rows = make_unlabelled_rows(dataset, s.features.use, target=s.dataset.columns.target)
    return rows, dataset.provenance.content_digest


def evaluate_out_of_scope(
    plan: Plan,
    split: DataSplit,
    model: TrainedModel,
    decision: Decision | None,
    requests: Rows | None,
) -> OutOfScope:
    """Predict out-of-scope requests; return `out_of_scope` of evaluation.json.

    Parameters
    ----------
    model
        The published model, scaled by its temperature.
    decision
        Decision with the threshold that a consumer applies; None without a threshold.
    requests
        The out-of-scope set; without one (None), only the empty request is predicted.
    """
    s = plan.settings
    empty = make_empty_request(select_blocks(split.train, model.feature_blocks, s.dataset.columns))
    predictions = None
    if requests is not None:
        selected = select_blocks(requests, model.feature_blocks, s.dataset.columns)
        predictions = predict(model.pipeline, selected, model.feature_blocks)
    return measure_out_of_scope(
        predict(model.pipeline, empty, model.feature_blocks),
        predictions,
        None if requests is None else requests.groups,
        decision=decision,
        confidence=s.evaluation.confidence,
    )
