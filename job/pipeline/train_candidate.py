"""Train and evaluate one candidate.

How it works
------------
1. Decide how to train and evaluate, and check the memory (`training_setup`).
2. Search, calibrate, and fit the chosen candidate to all training rows (`fit_candidate`).
3. Evaluate the fitted candidate (`evaluation`), with the latency that the run's first attempt has
   measured (`latency`).
4. Write the model as plain numbers, and compare this form with the fitted pipeline.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from job.contracts.dataset import Rows
from job.contracts.lineage_key import LineageKey
from job.contracts.model import TrainedModel
from job.contracts.plan import Plan
from job.contracts.reports.evaluation import CandidateEvaluation
from job.contracts.reports.plain_form import PlainFormProof
from job.contracts.reports.search import SearchReport
from job.contracts.version_files import MODEL_FILE, PLAIN_MODEL_FILE
from job.model_form.encoding import encode_form
from job.pipeline.evaluation import evaluate_candidate
from job.pipeline.fit_candidate import fit_candidate
from job.pipeline.latency import share_latency
from job.pipeline.run_context import RunContext
from job.pipeline.training_setup import set_up_training
from job.stages.features.preprocessing import select_blocks
from job.stages.gate.group_errors import GroupErrors, count_group_errors
from job.stages.gate.power import measure_equal_error
from job.stages.metrics.predictions import Predictions
from job.stages.packaging.metadata import describe_input
from job.stages.packaging.plain_form import describe_model
from job.stages.packaging.plain_form.proof import prove_form
from job.stages.split.split import DataSplit
from job.stages.training.cross_fit import CrossFit


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedCandidate:
    """A trained model and its evaluation, the input of gate and package.

    Attributes
    ----------
    models
        The model files of the version by name.
    nested
        Cross-fitted predictions of the rows `split.kept`, each by a candidate that was chosen
        without the label of the predicted row; None with a hold-out.
    equal_error
        Name of a metric, and by how much this metric differs between two trainings of the same
        candidate (standard error); None if this cannot be estimated.
    """

    split: DataSplit
    search: SearchReport
    model: TrainedModel
    models: Mapping[str, bytes]
    compatible_with: tuple[str, ...]
    evaluation: CandidateEvaluation
    nested: Predictions | None
    equal_error: tuple[str, float] | None

    def count_errors(self, key: LineageKey) -> GroupErrors | None:
        """Count the cross-fitted errors of each group of rows; return None with a hold-out.

        `key` is the secret key with which the groups are digested.
        """
        if self.nested is None:
            return None
        return count_group_errors(self.nested, self.split.kept, key)

    @property
    def payload(self) -> bytes:
        """The bytes of `model.joblib`; models with equal bytes are identical."""
        return self.models[MODEL_FILE]


def train_candidate(
    context: RunContext, split: DataSplit, out_of_scope: Rows | None
) -> TrainedCandidate:
    """Search, train and evaluate; raise `ConfigurationError` if memory is too small.

    Parameters
    ----------
    out_of_scope
        Requests that belong to no class; None without such a set.
    """
    setup = set_up_training(context, split)
    fitted = fit_candidate(context, split, setup)
    evaluation = evaluate_candidate(context, split, setup, fitted, out_of_scope)
    with context.stage("plain_form"):
        plain_form, proof = _write_plain_form(context, split, fitted.model, evaluation)
    cross = fitted.out_of_fold.cross
    models = context.ports.encode_model(fitted.model.pipeline)
    latency = share_latency(context, models[MODEL_FILE], evaluation.latency)
    equal_error = None
    if cross is not None:
        equal_error = _measure_equal_error(context.plan, split, fitted.search, cross)
    return TrainedCandidate(
        split=split,
        search=fitted.search,
        model=fitted.model,
        models={**models, PLAIN_MODEL_FILE: plain_form},
        compatible_with=fitted.compatible_with,
        evaluation=evaluation.copy_with(latency=latency, plain_form=proof),
        nested=None if cross is None else cross.nested,
        equal_error=equal_error,
    )


def _write_plain_form(
    context: RunContext, split: DataSplit, model: TrainedModel, evaluation: CandidateEvaluation
) -> tuple[bytes, PlainFormProof]:
    """Return the bytes of `model.safetensors`, and the proof that this form predicts the same."""
    rows = select_blocks(split.test, model.feature_blocks, context.settings.dataset.columns)
    threshold = None if evaluation.decision is None else evaluation.decision.threshold
    model_input = describe_input(rows, model.feature_blocks)
    data = encode_form(describe_model(model.pipeline, model_input, threshold))
    return data, prove_form(data, model, rows)


def _measure_equal_error(
    plan: Plan, split: DataSplit, report: SearchReport, cross: CrossFit
) -> tuple[str, float] | None:
    """Return a metric's name, and the standard error of its difference between two trainings."""
    if report.labels is None:
        return None
    standard_error = measure_equal_error(
        report.labels,
        report.candidates.index(report.chosen),
        cross.chosen.y_pred[split.train_index],
        split.train.groups,
        plan.settings.paired,
    )
    return None if standard_error is None else (report.metric, standard_error)
