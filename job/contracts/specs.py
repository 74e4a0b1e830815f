"""What may be asked for: the settings' sections, each the spec of the stage that gets it."""

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from job.contracts.addresses import require_readable
from job.contracts.dataset_specs import ColumnsSpec, DatasetSpec, Spec
from job.contracts.drift_specs import DriftSpec
from job.contracts.gate_specs import DecisionSpec, EvaluationSpec, GateSpec, PairedSpec
from job.contracts.lists import shortened
from job.contracts.publish_specs import LogsSpec, PublishSpec
from job.contracts.search_specs import FeatureName, SearchSpec
from job.contracts.store_specs import S3Spec, StoreSpec

Fraction = Annotated[float, Field(gt=0, lt=1)]
Similarity = Annotated[float, Field(ge=0.3, le=1)]


class ExpectationsSpec(Spec):
    """The suite the table is held against."""

    suite: str = Field(
        "curated_training_data",
        description="Name in `expectations/`, or the path of a suite of your own.",
    )

    @field_validator("suite")
    @classmethod
    def _is_readable(cls, value: str) -> str:
        return require_readable(value)

    parameters: dict[str, Any] = Field(
        default_factory=dict,
        description="Values for the suite's `$PARAMETER`s; its `meta.parameters` are the defaults.",
    )


class SplitSpec(Spec):
    """How the hold-out is made."""

    method: Literal["hash", "stratified_group"] = Field(
        "hash",
        description="`hash`: within each class, groups are held out in the order of the salted "
        "hash of one of their keys; `stratified_group`: seeded. Both keep class shares.",
    )
    test_fraction: Fraction = Field(0.2, description="Share of each class's rows held out.")
    salt: str = Field("pcc", description="Salt of the keys' hash; another salt, another hold-out.")
    near_duplicates: Literal["auto", "text", "embeddings", "none"] = Field(
        "auto",
        description="What near-duplicates, which stay on one side, are found by; `auto`: texts, "
        "else the embeddings that the model takes. `none`: equal texts alone stay together.",
    )
    min_jaccard: Similarity = Field(
        0.5, description="Least share of 8-character runs that near-duplicate texts have in common."
    )
    min_cosine: Similarity = Field(
        0.97,
        description="Least cosine of near-duplicate embeddings, where texts are not looked at.",
    )

    @field_validator("salt", mode="before")
    @classmethod
    def _text(cls, value: object) -> object:
        return str(value) if isinstance(value, int) else value


def _once_each(names: tuple[str, ...]) -> tuple[str, ...]:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{shortened(twice)} stands twice")
    return names


class FeatureSpec(Spec):
    """What the model sees."""

    use: tuple[FeatureName, ...] = Field(
        ("embeddings",), min_length=1, description="Which feature blocks the model takes."
    )
    min_groups: int = Field(
        5,
        ge=1,
        description="A term, category or open-set class name is kept only if so many keys hold it.",
    )

    analyzers: tuple[Literal["word", "char_wb"], ...] = Field(
        ("word", "char_wb"),
        min_length=1,
        description="Terms of texts: words and pairs of words, 2 to 5 characters within words.",
    )

    geometry: Literal["auto", "given"] = Field(
        "auto",
        description="`given`: embeddings are taken as they are. `auto`: where columns were "
        "standardized and the table determines how, its rows get back length 1, so that a batch "
        "that was standardized anew costs less; other tables stay as they are.",
    )

    @field_validator("use", "analyzers")
    @classmethod
    def _once_each(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return _once_each(value)


class PackageSpec(Spec):
    """What a published model promises."""

    compatible_with: tuple[Literal["scikit-learn==1.4.2"], ...] = Field(
        ("scikit-learn==1.4.2",),
        description="Other versions that the model must load in; `[]` for none.",
    )
    allowed_inputs: tuple[FeatureName, ...] | None = Field(
        None,
        description="Feature blocks that the consumer can send; unset: those of `features.use`.",
    )

    @field_validator("allowed_inputs")
    @classmethod
    def _named_once(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if value is None else _once_each(value)


class TrainingSpec(Spec):
    """What search and training need to know; they see the same, so that they agree."""

    search: SearchSpec
    features: FeatureSpec
    columns: ColumnsSpec
    random_state: int


class JobSettings(Spec):
    """Everything a run can be told."""

    dataset: DatasetSpec = Field(default_factory=DatasetSpec, description="The table.")
    expectations: ExpectationsSpec = Field(
        default_factory=ExpectationsSpec, description="Its contract."
    )
    split: SplitSpec = Field(default_factory=SplitSpec, description="The hold-out.")
    features: FeatureSpec = Field(default_factory=FeatureSpec, description="The model's input.")
    search: SearchSpec = Field(default_factory=SearchSpec, description="The candidates.")
    evaluation: EvaluationSpec = Field(default_factory=EvaluationSpec, description="The intervals.")
    decision: DecisionSpec = Field(default_factory=DecisionSpec, description="The threshold.")
    drift: DriftSpec = Field(default_factory=DriftSpec, description="The last table.")
    gate: GateSpec = Field(default_factory=GateSpec, description="The verdict.")
    package: PackageSpec = Field(default_factory=PackageSpec, description="The package.")
    store: StoreSpec = Field(default_factory=StoreSpec, description="The store.")
    s3: S3Spec = Field(default_factory=S3Spec, description="The way to S3.")
    publish: PublishSpec = Field(default_factory=PublishSpec, description="The publication.")
    logs: LogsSpec = Field(default_factory=LogsSpec, description="The log.")
    random_state: int = Field(42, ge=0, le=2**32 - 1, description="Seed of everything random.")

    @model_validator(mode="after")
    def _consumer_can_send_them(self) -> "JobSettings":
        asked = self.search.inputs or (self.features.use,)
        blocks = {block for use in asked for block in use}
        unread = sorted(blocks - set(self.features.use))
        if unread:
            raise ValueError(f"search.inputs has {shortened(unread)}, which features.use has not")
        allowed = self.package.allowed_inputs
        unsent = sorted(blocks - set(self.features.use if allowed is None else allowed))
        if unsent:
            key = "search.inputs" if self.search.inputs else "features.use"
            raise ValueError(f"{key} has {shortened(unsent)}, which package.allowed_inputs has not")
        return self

    @model_validator(mode="after")
    def _slices_can_be_made(self) -> "JobSettings":
        asked, possible = self.evaluation.slices, self.dataset.columns.sliceable
        odd = sorted(set(asked or ()) - set(possible))
        if odd:
            raise ValueError(
                f"evaluation.slices names {shortened(odd)}; slices are made by categorical, "
                "boolean, text and timestamp columns, never by an id or a group: add it to "
                "dataset.columns.categorical, which the model need not take, or name some of "
                f"{shortened(sorted(possible))}"
            )
        if self.gate.slice_floor is not None and asked == ():
            raise ValueError(
                "gate.slice_floor wants slices, and evaluation.slices is []: name columns there, "
                "or leave it out"
            )
        return self

    @model_validator(mode="after")
    def _wording_can_be_preferred(self) -> "JobSettings":
        inputs = self.search.inputs or (self.features.use,)
        if self.search.prefer == "wording" and ("embeddings",) not in inputs:
            raise ValueError(
                "search.prefer=wording wants an input of embeddings alone: set features.use or "
                "search.inputs, or leave it out"
            )
        return self

    @model_validator(mode="after")
    def _challenge_set_is_there(self) -> "JobSettings":
        floors = self.gate.challenge_floors
        asking = {
            "search.choose_on=challenge": self.search.choose_on == "challenge",
            "decision.learn_on=challenge": self.decision.learn_on == "challenge",
            "gate.challenge_floors": any(floor is not None for _, floor in floors),
        }
        named = [name for name, is_asked in asking.items() if is_asked]
        if named and self.evaluation.challenge_uri is None:
            raise ValueError(f"{', '.join(named)} wants evaluation.challenge_uri: name a table")
        return self

    @property
    def learns_on_challenge(self) -> bool:
        """Whether the threshold is learnt on the challenge set."""
        has_one = self.evaluation.challenge_uri is not None
        return has_one and self.decision.learn_on != "table"

    @property
    def slicing(self) -> tuple[str, ...]:
        """The columns that the hold-out is sliced by, as far as the table has them."""
        asked = self.evaluation.slices
        return self.dataset.columns.sliceable if asked is None else asked

    @property
    def paired(self) -> PairedSpec:
        """What concerns the comparison with a champion."""
        return PairedSpec(
            metric=self.search.metric,
            alpha=self.gate.alpha,
            resamples=self.evaluation.resamples,
            random_state=self.random_state,
        )

    @property
    def training(self) -> TrainingSpec:
        """What concerns search and training."""
        return TrainingSpec(
            search=self.search,
            features=self.features,
            columns=self.dataset.columns,
            random_state=self.random_state,
        )
