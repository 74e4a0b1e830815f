"""All sections of the settings; each is passed to the stage that uses it."""

from pydantic import Field, model_validator

from job.contracts.messages import quote_list
from job.contracts.metrics import Metric
from job.contracts.settings.base import Spec
from job.contracts.settings.dataset import ColumnsSpec, DatasetSpec
from job.contracts.settings.drift import DriftSpec
from job.contracts.settings.evaluation import DecisionSpec, EvaluationSpec
from job.contracts.settings.expectations import ExpectationsSpec
from job.contracts.settings.features import FeatureSpec
from job.contracts.settings.gate import GateSpec, PairedSpec
from job.contracts.settings.lineage import LineageSpec
from job.contracts.settings.publish import LogsSpec, PackageSpec, PublishSpec
from job.contracts.settings.search import SearchSpec
from job.contracts.settings.split import SplitSpec
from job.contracts.settings.store import S3Spec, StoreSpec


class ScoringSpec(Spec):
    """Settings of the evaluation of one model."""

    evaluation: EvaluationSpec
    decision: DecisionSpec
    metric: Metric
    random_state: int


class TrainingSpec(Spec):
    """Settings of the search and the training that must be consistent with each other."""

    search: SearchSpec
    features: FeatureSpec
    columns: ColumnsSpec
    random_state: int


class JobSettings(Spec):
    """All settings of a run."""

    dataset: DatasetSpec = Field(default_factory=DatasetSpec, description="Tables and columns.")
    expectations: ExpectationsSpec = Field(
        default_factory=ExpectationsSpec, description="Validation of the table."
    )
    split: SplitSpec = Field(default_factory=SplitSpec, description="Hold-out and near-duplicates.")
    features: FeatureSpec = Field(default_factory=FeatureSpec, description="Input of the model.")
    search: SearchSpec = Field(
        default_factory=SearchSpec, description="Candidates and model selection."
    )
    evaluation: EvaluationSpec = Field(
        default_factory=EvaluationSpec, description="Scores, intervals and additional test sets."
    )
    decision: DecisionSpec = Field(default_factory=DecisionSpec, description="Decision threshold.")
    drift: DriftSpec = Field(
        default_factory=DriftSpec, description="Drift from the champion's table."
    )
    gate: GateSpec = Field(default_factory=GateSpec, description="Criteria of acceptance.")
    package: PackageSpec = Field(
        default_factory=PackageSpec, description="Compatibility of the published model."
    )
    store: StoreSpec = Field(
        default_factory=StoreSpec, description="Store of the published versions."
    )
    s3: S3Spec = Field(default_factory=S3Spec, description="Connection to S3.")
    publish: PublishSpec = Field(
        default_factory=PublishSpec, description="Publication of an accepted model."
    )
    lineage: LineageSpec = Field(
        default_factory=LineageSpec, description="Keys of the digests of training rows."
    )
    logs: LogsSpec = Field(default_factory=LogsSpec, description="Log on stderr.")
    random_state: int = Field(42, ge=0, le=2**32 - 1, description="Seed of all random numbers.")

    @model_validator(mode="after")
    def _consumer_can_send_them(self) -> "JobSettings":
        inputs = self.search.inputs or (self.features.use,)
        blocks = {block for feature_blocks in inputs for block in feature_blocks}
        unread = sorted(blocks - set(self.features.use))
        if unread:
            raise ValueError(
                "search.inputs has feature blocks that are not in features.use: "
                f"{quote_list(unread)}; add them there"
            )
        allowed = self.package.allowed_inputs
        unsent = sorted(blocks - set(self.features.use if allowed is None else allowed))
        if unsent:
            key = "search.inputs" if self.search.inputs else "features.use"
            raise ValueError(
                f"{key} has feature blocks that are not in package.allowed_inputs: "
                f"{quote_list(unsent)}; remove them, or add them if the consumer can send them"
            )
        return self

    @model_validator(mode="after")
    def _slices_can_be_made(self) -> "JobSettings":
        requested, possible = self.evaluation.slices, self.dataset.columns.sliceable
        invalid = sorted(set(requested or ()) - set(possible))
        if invalid:
            raise ValueError(
                f"evaluation.slices: no slices can be made from {quote_list(invalid)}; possible "
                f"columns: {quote_list(sorted(possible))} (categorical, boolean, text and "
                "timestamp columns, except the id and the group). To add a column, name it in "
                "dataset.columns.categorical; the model does not have to use it"
            )
        if self.gate.slice_floor is not None and requested == ():
            raise ValueError(
                "gate.slice_floor needs slices, but evaluation.slices is []; name columns there, "
                "or set gate.slice_floor=null"
            )
        return self

    @model_validator(mode="after")
    def _wording_can_be_preferred(self) -> "JobSettings":
        inputs = self.search.inputs or (self.features.use,)
        if self.search.prefer == "wording" and ("embeddings",) not in inputs:
            raise ValueError(
                "search.prefer=wording needs an input that consists only of embeddings; set "
                "features.use=[embeddings], add [embeddings] to search.inputs, or set "
                "search.prefer=auto"
            )
        return self

    @model_validator(mode="after")
    def _challenge_set_is_there(self) -> "JobSettings":
        floors = self.gate.challenge_floors
        needs_challenge = {
            "search.choose_on=challenge": self.search.choose_on == "challenge",
            "decision.learn_on=challenge": self.decision.learn_on == "challenge",
            "gate.challenge_floors": any(floor is not None for _, floor in floors),
        }
        settings = [name for name, is_set in needs_challenge.items() if is_set]
        if settings and self.evaluation.challenge_uri is None:
            verb = "needs" if len(settings) == 1 else "need"
            raise ValueError(
                f"{', '.join(settings)} {verb} evaluation.challenge_uri: set it to a challenge set"
            )
        return self

    @property
    def learns_on_challenge(self) -> bool:
        """Whether the decision threshold is learned on the challenge set, not on the table."""
        has_challenge = self.evaluation.challenge_uri is not None
        return has_challenge and self.decision.learn_on != "table"

    @property
    def slicing(self) -> tuple[str, ...]:
        """Names of the columns whose values define slices; the table may lack some of them."""
        requested = self.evaluation.slices
        return self.dataset.columns.sliceable if requested is None else requested

    @property
    def paired(self) -> PairedSpec:
        """Settings of the comparison with a champion."""
        return PairedSpec(
            metric=self.search.metric,
            alpha=self.gate.alpha,
            resamples=self.evaluation.resamples,
            random_state=self.random_state,
        )

    @property
    def training(self) -> TrainingSpec:
        """Settings of search and training."""
        return TrainingSpec(
            search=self.search,
            features=self.features,
            columns=self.dataset.columns,
            random_state=self.random_state,
        )

    @property
    def scoring(self) -> ScoringSpec:
        """Settings of the evaluation of one model."""
        return ScoringSpec(
            evaluation=self.evaluation,
            decision=self.decision,
            metric=self.search.metric,
            random_state=self.random_state,
        )
