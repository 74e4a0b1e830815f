"""Judge a published version beside another one: the gate alone, without a training."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from job.contracts.dataset import Rows
from job.contracts.messages import pluralize
from job.contracts.model import TrainedModel
from job.contracts.plan import Plan
from job.contracts.ports import Ports
from job.errors import ConfigurationError, GateRejectedError
from job.pipeline.challenge import judge_version
from job.pipeline.intake import check_request, find_near_duplicates, load_tables
from job.recorder import Recorder
from job.registry.published import PublishedVersion, load_anchor
from job.registry.versions import read_verified
from job.stages.evaluation.evaluate import evaluate
from job.stages.features.preprocessing import select_blocks
from job.stages.gate.comparison import compare, find_problem, match_input, was_trained_on
from job.stages.gate.criteria import decide
from job.stages.metrics.predictions import predict
from job.stages.packaging.metadata import name_embedding_model


def judge_versions(
    plan: Plan, ports: Ports, recorder: Recorder, candidate: str, champion: str
) -> dict[str, Any]:
    """Hold a version against the floors, another version and the anchor.

    Rows of the table that the candidate was trained on are left out; those of classes that it does
    not know count as errors.  Each comparison leaves out what the other model was trained on.

    Raises
    ------
    GateRejectedError
        A criterion is not met; `context["result"]` is the result all the same.
    ConfigurationError
        The candidate takes another input, or has seen the whole table.
    """
    check_request(plan.settings, plan.suite)
    spec = plan.settings
    old, new = (
        PublishedVersion(version=name, files=read_verified(ports.store, name))
        for name in (champion, candidate)
    )
    rivals = [old, *filter(None, [load_anchor(ports.store, spec.gate.anchor)])]
    tables, _ = find_near_duplicates(plan, ports, load_tables(plan, ports, recorder))
    rows = tables.rows if tables.official_test is None else tables.official_test
    # an official test holds near-duplicates by design
    table = rows if tables.official_test is None else None
    fresh = rows.take(~was_trained_on(new, rows, table))
    embedding_model = name_embedding_model(tables.dataset, spec.publish)
    model = _load(plan, ports, new, fresh, embedding_model)
    n_unknown = int((~np.isin(fresh.y.astype(str), model.pipeline.classes_.astype(str))).sum())
    if not len(fresh):
        raise ConfigurationError(
            f"{candidate} was trained on all rows that it could be judged on",
            hint="give a table with rows that are new to it",
        )
    judged = select_blocks(fresh, model.feature_blocks, spec.dataset.columns)
    evaluation = recorder.run(
        "evaluate",
        evaluate,
        predict(model.pipeline, judged, model.feature_blocks),
        model,
        judged,
        ports.timer,
        spec=spec.evaluation,
        metric=spec.search.metric,
        random_state=spec.random_state,
    )
    comparisons = tuple(
        compare(
            rival,
            model,
            fresh,
            table,
            ports.codec,
            training=spec.training,
            paired=spec.paired,
            embedding_model=embedding_model,
            payload=new.files["model.joblib"],
        )
        for rival in rivals
    )
    challenge = None
    if tables.challenge is not None:
        challenge, found = judge_version(
            plan,
            ports,
            tables.challenge,
            new=new,
            old=old,
            model=model,
            embedding_model=embedding_model,
        )
        evaluation, comparisons = {**evaluation, "challenge": challenge}, (*comparisons, *found)
    n_bytes = len(new.files["model.joblib"])
    decision = decide(evaluation, n_bytes, comparisons, spec.gate)
    result = {
        "candidate": candidate,
        "champion": champion,
        "n_rows": len(rows),
        "n_trained_on": len(rows) - len(fresh),
        "n_unknown_class": n_unknown,
        "n_judged": len(fresh),
        "scores": evaluation["scores"],
        "challenge_scores": None if challenge is None else challenge["scores"],
        "gate": decision.to_json(),
    }
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
    """Load the candidate, if its input is one that the settings name."""
    settings, metadata = plan.settings, json.loads(version.files["metadata.json"])
    uses = (settings.features.use, *settings.search.inputs)
    feature_blocks = match_input(metadata, rows, uses, settings.dataset.columns)
    if feature_blocks is None:
        raise ConfigurationError(
            f"{version.version} takes another input than features.use and search.inputs name",
            hint=f"it takes {pluralize(len(metadata['input']['names']), 'column')} as "
            f"{metadata['input']['kind']}; `pcc-job models show` has its settings",
        )
    if problem := find_problem(metadata, rows, feature_blocks, embedding_model):
        raise ConfigurationError(
            f"{version.version} cannot be judged on this table: {problem}",
            hint="give a table as the one that it was trained on",
        )
    return TrainedModel(
        estimator=metadata["classifier"],
        parameters=(),
        feature_blocks=feature_blocks,
        pipeline=ports.codec.decode(version.files["model.joblib"]),
        baselines=(),
    )
