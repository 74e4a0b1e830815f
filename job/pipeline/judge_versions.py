"""Apply the gate to two published versions, without training.

How it works
------------
1. Of the table, the rows on which the candidate version was trained are left out.
2. The candidate predicts the other rows.  A row whose true class is not one of the candidate's
   classes counts as an error.
3. The candidate is compared with the champion version, and then with the anchor.  Each comparison
   uses the rows that neither of the two models was trained on.
4. The gate decides as in a run; nothing is written to the store.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from job.contracts.dataset import Rows
from job.contracts.model import TrainedModel
from job.contracts.plan import Plan
from job.contracts.reports.challenge import Challenge
from job.contracts.reports.comparison import Comparison
from job.contracts.reports.evaluation import CandidateEvaluation
from job.contracts.reports.results import GateResult
from job.contracts.version_files import MODEL_FILE, PLAIN_MODEL_FILE
from job.errors import ConfigurationError, GateRejectedError
from job.pipeline.challenge_comparison import evaluate_version
from job.pipeline.evaluation import compare_with_majority_class
from job.pipeline.intake import Tables, check_request, find_near_duplicates, load_tables
from job.pipeline.run_context import RunContext
from job.registry.champion import PublishedVersion, load_anchor
from job.stages.evaluation.evaluate import evaluate
from job.stages.evaluation.evaluated_rows import EvaluatedRows
from job.stages.features.preprocessing import select_blocks
from job.stages.gate.comparison import compare, find_problem, find_width_problem, match_input
from job.stages.gate.criteria import decide
from job.stages.gate.held_out_comparison import NO_PLAIN_FORM, ComparedModel, ComparisonSpec
from job.stages.lineage.training_rows import find_lineage_problem, was_trained_on
from job.stages.metrics.predictions import predict
from job.stages.packaging.metadata import name_embedding_model
from job.stages.packaging.read_plain_form import read_model
from job.stages.split.class_names import check_evaluated, pool_unnamed_classes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """A loaded published version, and the rows of the table that it was not trained on.

    Attributes
    ----------
    table
        Rows of the table, used to leave out test rows that are near-duplicates of a model's
        training rows; None for an official test, which contains near-duplicates by design.
    """

    version: PublishedVersion
    model: TrainedModel
    embedding_model: str
    n_rows: int
    unseen: Rows
    table: Rows | None

    @property
    def payload(self) -> bytes:
        """The bytes of `model.joblib`."""
        return self.version.files[MODEL_FILE]


def judge_versions(context: RunContext, candidate: str, champion: str) -> GateResult:
    """Return the gate's decision on version `candidate`, compared with `champion` and anchor.

    Raises
    ------
    GateRejectedError
        A criterion is not met; the error's `result` is the complete result.
    ConfigurationError
        The candidate takes an input that the settings do not name, or was trained on all rows of
        the table.
    """
    spec, store = context.settings, context.ports.store
    check_request(spec, context.plan.suite)
    old, new = (PublishedVersion.read(store, name, context.keys) for name in (champion, candidate))
    rivals = [old, *filter(None, [load_anchor(store, spec.gate.anchor, context.keys)])]
    tables, _ = find_near_duplicates(context, load_tables(context))
    tables = _pool_classes(context, tables, (new, *rivals))
    judged = _load_candidate(context, tables, new)
    evaluation = _evaluate(context, judged)
    comparisons = tuple(_compare(context, judged, rival) for rival in rivals)
    if tables.challenge is not None:
        challenge, on_challenge = _evaluate_on_challenge(context, judged, old, tables.challenge)
        evaluation = evaluation.copy_with(challenge=challenge)
        comparisons = (*comparisons, *on_challenge)
    decision = decide(evaluation, len(judged.payload), comparisons, spec.gate)
    challenge = evaluation.challenge
    result = GateResult(
        candidate=candidate,
        champion=champion,
        n_rows=judged.n_rows,
        n_trained_on=judged.n_rows - len(judged.unseen),
        n_unknown_class=_count_unknown_classes(judged),
        n_judged=len(judged.unseen),
        scores=evaluation.scores,
        challenge_scores=None if challenge is None else challenge.scores,
        gate=decision,
    )
    return _require_accepted(result)


def _pool_classes(
    context: RunContext, tables: Tables, versions: tuple[PublishedVersion, ...]
) -> Tables:
    """Return the tables; classes that no version has are pooled if they may not be named."""
    known = {name for version in versions for name in version.metadata.classes}
    classes = {*known, *(context.plan.labels or ())}
    test, challenge = tables.official_test, tables.challenge
    check_evaluated(tables.rows, test, known)
    return replace(
        tables,
        rows=pool_unnamed_classes(tables.rows, classes),
        official_test=test and pool_unnamed_classes(test, classes),
        challenge=challenge and pool_unnamed_classes(challenge, classes),
    )


def _require_accepted(result: GateResult) -> GateResult:
    if result.gate.is_accepted:
        return result
    raise GateRejectedError(
        f"the gate rejected {result.candidate}: {'; '.join(result.gate.reasons)}",
        hint="read the criteria on stdout; gate.* in the settings sets them",
        result=result,
    )


def _load_candidate(context: RunContext, tables: Tables, version: PublishedVersion) -> _Judged:
    """Load the candidate; raise `ConfigurationError` if it may have been trained on all rows."""
    rows = tables.rows if tables.official_test is None else tables.official_test
    table = rows if tables.official_test is None else None
    if problem := find_lineage_problem(version):
        raise ConfigurationError(
            f"{version.version} cannot be evaluated: {problem}",
            hint="mount the key (lineage.key_file), or restore the file from a backup",
        )
    unseen = rows.take(~was_trained_on(version, rows, table))
    if not len(unseen):
        raise ConfigurationError(
            f"{version.version} was trained on all rows of the table, so it cannot be evaluated "
            "on them",
            hint="use --dataset with a table that has other rows, such as a later export",
        )
    embedding_model = name_embedding_model(tables.dataset, context.settings.publish)
    model = _load(context.plan, version, unseen, embedding_model)
    return _Judged(
        version=version,
        model=model,
        embedding_model=embedding_model,
        n_rows=len(rows),
        unseen=unseen,
        table=table,
    )


def _count_unknown_classes(judged: _Judged) -> int:
    """Return the number of rows whose true class is not one of the candidate's classes."""
    classes = judged.model.pipeline.classes_.astype(str)
    return int((~np.isin(judged.unseen.y.astype(str), classes)).sum())


def _evaluate(context: RunContext, judged: _Judged) -> CandidateEvaluation:
    """Evaluate the candidate on the rows that it was not trained on."""
    s, model = context.settings, judged.model
    test_rows = select_blocks(judged.unseen, model.feature_blocks, s.dataset.columns)
    with context.stage("evaluate"):
        predictions = predict(model.pipeline, test_rows, model.feature_blocks)
        evaluated = EvaluatedRows.of(test_rows, predictions, s.scoring)
        scores = evaluate(evaluated, model, context.ports.timer, spec=s.scoring)
    over = compare_with_majority_class(context, evaluated)
    return CandidateEvaluation(**scores.fields(), over_majority=over)


def _compare(context: RunContext, judged: _Judged, rival: PublishedVersion) -> Comparison:
    """Compare the candidate with champion or anchor on rows that neither was trained on."""
    s = context.settings
    return compare(
        rival,
        ComparedModel(
            model=judged.model, payload=judged.payload, embedding_model=judged.embedding_model
        ),
        judged.unseen,
        judged.table,
        ComparisonSpec(training=s.training, paired=s.paired),
    )


def _evaluate_on_challenge(
    context: RunContext, judged: _Judged, champion: PublishedVersion, requests: Rows
) -> tuple[Challenge | None, tuple[Comparison, ...]]:
    return evaluate_version(
        context.plan,
        requests,
        new=judged.version,
        old=champion,
        model=judged.model,
        embedding_model=judged.embedding_model,
    )


def _load(plan: Plan, version: PublishedVersion, rows: Rows, embedding_model: str) -> TrainedModel:
    """Load a version's model, which must be able to predict `rows`.

    Raises
    ------
    ConfigurationError
        The settings do not name the input that the model takes, or the model cannot be evaluated on
        this table.
    """
    settings, metadata = plan.settings, version.metadata
    inputs = (settings.features.use, *settings.search.inputs)
    feature_blocks = match_input(metadata, rows, inputs, settings.dataset.columns)
    if problem := find_width_problem(metadata, rows):
        raise _unlike(version, problem)
    if feature_blocks is None:
        raise ConfigurationError(
            f"{version.version} takes an input that neither features.use nor search.inputs names",
            hint="use the features.use and search.inputs that the version was trained with; "
            f"`pcc-job models show {version.version}` prints them",
        )
    if PLAIN_MODEL_FILE not in version.files:
        raise ConfigurationError(
            f"{version.version} cannot be evaluated: {NO_PLAIN_FORM}",
            hint=f"choose a version that has {PLAIN_MODEL_FILE}",
        )
    if problem := find_problem(version, rows, feature_blocks, embedding_model):
        raise _unlike(version, problem)
    return TrainedModel(
        estimator=metadata.classifier,
        parameters=(),
        feature_blocks=feature_blocks,
        pipeline=read_model(version.version, version.files[PLAIN_MODEL_FILE], metadata),
        baselines=(),
    )


def _unlike(version: PublishedVersion, problem: str) -> ConfigurationError:
    return ConfigurationError(
        f"{version.version} cannot be evaluated on this table: {problem}",
        hint="use --dataset with a table like the one that it was trained on",
    )
