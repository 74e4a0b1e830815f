"""Run the gate on two published versions, without a training.

How it works
------------
1. Rows of the table that the candidate version was trained on are left out.
2. The candidate predicts the rest; rows of classes that it does not know count as errors.
3. It is compared with the champion version and the anchor, each time on the rows that the other
   model was not trained on either.
4. The gate decides as in a run; nothing is written to the store.
"""

from __future__ import annotations

import numpy as np

from job.contracts.dataset import Rows
from job.contracts.messages import pluralize
from job.contracts.model import TrainedModel
from job.contracts.plan import Plan
from job.contracts.ports import Ports
from job.contracts.reports.evaluation import CandidateEvaluation
from job.contracts.reports.results import GateResult
from job.contracts.version_files import MODEL_FILE
from job.errors import ConfigurationError, GateRejectedError
from job.pipeline.challenge import evaluate_version
from job.pipeline.intake import check_request, find_near_duplicates, load_tables
from job.pipeline.run_context import RunContext
from job.registry.champion import PublishedVersion, load_anchor
from job.registry.read_version import read_verified
from job.stages.evaluation.evaluate import evaluate
from job.stages.features.preprocessing import select_blocks
from job.stages.gate.comparison import compare, find_problem, match_input, was_trained_on
from job.stages.gate.criteria import decide
from job.stages.gate.held_out_comparison import ComparedModel, ComparisonSpec
from job.stages.metrics.predictions import predict
from job.stages.packaging.metadata import name_embedding_model


def judge_versions(context: RunContext, candidate: str, champion: str) -> GateResult:
    """Return the gate's decision on a version, compared with another version and the anchor.

    Raises
    ------
    GateRejectedError
        A criterion is not met; its `result` is the result.
    ConfigurationError
        The candidate takes a different input, or was trained on all rows of the table.
    """
    plan, ports = context.plan, context.ports
    check_request(plan.settings, plan.suite)
    spec = plan.settings
    old, new = (
        PublishedVersion(version=name, files=read_verified(ports.store, name))
        for name in (champion, candidate)
    )
    rivals = [old, *filter(None, [load_anchor(ports.store, spec.gate.anchor)])]
    tables, _ = find_near_duplicates(context, load_tables(context))
    rows = tables.rows if tables.official_test is None else tables.official_test
    # an official test contains near-duplicates by design
    table = rows if tables.official_test is None else None
    unseen = rows.take(~was_trained_on(new, rows, table))
    embedding_model = name_embedding_model(tables.dataset, spec.publish)
    model = _load(plan, ports, new, unseen, embedding_model)
    n_unknown = int((~np.isin(unseen.y.astype(str), model.pipeline.classes_.astype(str))).sum())
    if not len(unseen):
        raise ConfigurationError(
            f"{candidate} was trained on all rows that it could be judged on",
            hint="give a table with rows that are new to it",
        )
    test_rows = select_blocks(unseen, model.feature_blocks, spec.dataset.columns)
    with context.stage("evaluate"):
        evaluation = evaluate(
            predict(model.pipeline, test_rows, model.feature_blocks),
            model,
            test_rows,
            ports.timer,
            spec=spec.evaluation,
            metric=spec.search.metric,
            random_state=spec.random_state,
        ).to_json()
    comparisons = tuple(
        compare(
            rival,
            ComparedModel(
                model=model, payload=new.files[MODEL_FILE], embedding_model=embedding_model
            ),
            unseen,
            table,
            ports.codec,
            ComparisonSpec(training=spec.training, paired=spec.paired),
        )
        for rival in rivals
    )
    challenge = None
    if tables.challenge is not None:
        challenge, challenge_comparisons = evaluate_version(
            plan,
            ports,
            tables.challenge,
            new=new,
            old=old,
            model=model,
            embedding_model=embedding_model,
        )
        evaluation = {**evaluation, "challenge": challenge}
        comparisons = (*comparisons, *challenge_comparisons)
    n_bytes = len(new.files[MODEL_FILE])
    decision = decide(
        CandidateEvaluation.model_validate(evaluation), n_bytes, comparisons, spec.gate
    )
    result = GateResult(
        candidate=candidate,
        champion=champion,
        n_rows=len(rows),
        n_trained_on=len(rows) - len(unseen),
        n_unknown_class=n_unknown,
        n_judged=len(unseen),
        scores=evaluation["scores"],
        challenge_scores=None if challenge is None else challenge["scores"],
        gate=decision,
    )
    if not decision.is_accepted:
        raise GateRejectedError(
            f"the gate rejects {candidate}: {'; '.join(decision.reasons)}",
            hint="see the criteria on stdout, or change gate.* in the settings",
            result=result,
        )
    return result


def _load(
    plan: Plan, ports: Ports, version: PublishedVersion, rows: Rows, embedding_model: str
) -> TrainedModel:
    """Load the candidate; raise `ConfigurationError` unless the settings name its input."""
    settings, metadata = plan.settings, version.metadata
    inputs = (settings.features.use, *settings.search.inputs)
    feature_blocks = match_input(metadata, rows, inputs, settings.dataset.columns)
    if feature_blocks is None:
        raise ConfigurationError(
            f"{version.version} takes another input than features.use and search.inputs name",
            hint=f"it takes {pluralize(len(metadata.input.names), 'column')} as "
            f"{metadata.input.kind}; `pcc-job models show` has its settings",
        )
    if problem := find_problem(metadata, rows, feature_blocks, embedding_model):
        raise ConfigurationError(
            f"{version.version} cannot be judged on this table: {problem}",
            hint="give a table as the one that it was trained on",
        )
    return TrainedModel(
        estimator=metadata.classifier,
        parameters=(),
        feature_blocks=feature_blocks,
        pipeline=ports.codec.decode(version.files[MODEL_FILE]),
        baselines=(),
    )
