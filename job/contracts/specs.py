"""What may be asked for: the settings' sections, each the spec of the stage that gets it."""

from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import Field, field_validator

from job.contracts.addresses import without_credentials
from job.contracts.dataset_specs import ColumnsSpec, DatasetSpec, Spec
from job.contracts.lists import nearest, shortened
from job.contracts.store_specs import S3Spec, StoreSpec
from job.contracts.stored import CHANNEL, is_channel

ESTIMATORS: Final = ("dummy", "linear_svc", "logistic_regression")
Fraction = Annotated[float, Field(gt=0, lt=1)]
Share = Annotated[float, Field(ge=0, le=1)]


class Metric(StrEnum):
    """Scores by which candidates are chosen and compared; higher is better."""

    ACCURACY = "accuracy"
    BALANCED_ACCURACY = "balanced_accuracy"
    F1_MACRO = "f1_macro"
    F1_WEIGHTED = "f1_weighted"
    PRECISION_MACRO = "precision_macro"
    RECALL_MACRO = "recall_macro"
    ROC_AUC_OVR = "roc_auc_ovr"
    NEG_LOG_LOSS = "neg_log_loss"


class ExpectationsSpec(Spec):
    """The suite the table is held against."""

    suite: str = Field(
        "curated_training_data",
        description="Name in `expectations/`, or the path of a suite of your own.",
    )

    @field_validator("suite")
    @classmethod
    def _no_credentials(cls, value: str) -> str:
        return without_credentials(value)

    parameters: dict[str, Any] = Field(
        default_factory=dict,
        description="Values for the suite's `$PARAMETER`s; its `meta.parameters` are the defaults.",
    )


class SplitSpec(Spec):
    """How the hold-out is made."""

    method: Literal["hash", "stratified_group"] = Field(
        "hash",
        description="`hash`: a key's side follows from its salted hash alone; "
        "`stratified_group`: seeded, class shares kept.",
    )
    test_fraction: Fraction = Field(0.2, description="Share of keys (hash) or rows held out.")
    salt: str = Field("pcc", description="Salt of the keys' hash; another salt, another hold-out.")

    @field_validator("salt", mode="before")
    @classmethod
    def _text(cls, value: object) -> object:
        return str(value) if isinstance(value, int) else value


FeatureName = Literal["text", "embeddings", "numeric", "categorical", "boolean"]


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

    @field_validator("use", "analyzers")
    @classmethod
    def _once_each(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        twice = sorted({name for name in value if value.count(name) > 1})
        if twice:
            raise ValueError(f"{shortened(twice)} stands twice")
        return value


class SearchSpec(Spec):
    """Which candidates are tried, and how they are compared."""

    metric: Metric = Field(Metric.F1_MACRO, description="Score that chooses the candidate.")
    folds: int = Field(3, ge=2, le=20, description="Folds, by key and class.")
    method: Literal["grid", "random"] = Field("grid", description="Whole grid, or a sample of it.")
    n_iter: int = Field(10, ge=1, description="Candidates drawn when the method is random.")
    estimators: dict[str, dict[str, tuple[Any, ...]]] = Field(
        default={"logistic_regression": {}, "linear_svc": {}},
        min_length=1,
        description="Estimators and their grids; `{}` is the estimator's default grid.",
        json_schema_extra={"propertyNames": {"enum": list(ESTIMATORS)}},
    )
    class_weight: Literal["balanced"] | None = Field(
        None, description="`balanced` weighs classes by inverse frequency."
    )
    calibration: Literal["sigmoid", "temperature"] = Field(
        "sigmoid",
        description="How `linear_svc` gets probabilities; scikit-learn 1.4.2 has no `temperature`.",
    )
    engine: Literal["fast", "reference"] = Field(
        "fast",
        description="`fast`: all logistic regressions of a fold at once; `reference`: each by "
        "scikit-learn alone.",
    )
    workers: int | None = Field(
        None, ge=1, description="Fits at a time; unset: the CPUs this process may use."
    )

    @field_validator("estimators", mode="before")
    @classmethod
    def _lists(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        for name in value:
            if name not in ESTIMATORS:
                raise ValueError(
                    f"no estimator '{name}'{nearest(str(name), ESTIMATORS)}; "
                    f"there are {shortened(ESTIMATORS)}"
                )
        return {name: _grid(grid) for name, grid in value.items()}


def _grid(grid: object) -> object:
    if grid is None:
        return {}
    if not isinstance(grid, dict):
        return grid
    return {k: v if isinstance(v, (list, tuple)) else [v] for k, v in grid.items()}


class FloorsSpec(Spec):
    """Least scores of an acceptable model; null switches one off."""

    accuracy: Share | None = Field(0.85, description="Least accuracy.")
    precision_macro: Share | None = Field(0.80, description="Least macro precision.")
    recall_macro: Share | None = Field(0.80, description="Least macro recall.")
    f1_macro: Share | None = Field(0.80, description="Least macro F1.")


class GateSpec(Spec):
    """When a candidate is accepted."""

    floors: FloorsSpec = Field(default_factory=FloorsSpec, description="Least scores.")
    margin: Share = Field(
        0.02, description="How much worse than the champion on `search.metric` is still accepted."
    )
    incomparable_champion: Literal["reject", "warn"] = Field(
        "reject", description="What a champion that cannot be compared means for the candidate."
    )
    latency_p95_ms: float = Field(100.0, gt=0, description="Most one-row latency (p95), in ms.")
    latency_severity: Literal["warn", "reject"] = Field(
        "warn", description="Whether too slow a model is rejected; a timer does not repeat itself."
    )
    model_bytes: int = Field(512 * 2**20, gt=0, description="Largest model file, in bytes.")


class PublishSpec(Spec):
    """What is done with an accepted model."""

    channel: str | None = Field(
        "production",
        pattern=CHANNEL,
        description="Channel that moves to the new version; null: none does.",
    )

    @field_validator("channel")
    @classmethod
    def _is_channel(cls, value: str | None) -> str | None:
        if value is not None and not is_channel(value):
            raise ValueError("a channel cannot be named 'latest' or like a version")
        return value

    embedding_model: str = Field(
        "all-MiniLM-L6-v2",
        description="Embedding model named to the consumer in metadata.json, where the table's own "
        "metadata has no `embedding_model`.",
    )
    intended_use: str | None = Field(
        None, description="Purpose as the model card states it; unset: input and classes alone."
    )


class PackageSpec(Spec):
    """What a published model promises."""

    compatible_with: tuple[Literal["scikit-learn==1.4.2"], ...] = Field(
        ("scikit-learn==1.4.2",),
        description="Other versions that the model must load in; `[]` for none.",
    )


class LogsSpec(Spec):
    """What goes to stderr."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least level that is logged."
    )


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
    gate: GateSpec = Field(default_factory=GateSpec, description="The verdict.")
    package: PackageSpec = Field(default_factory=PackageSpec, description="The package.")
    store: StoreSpec = Field(default_factory=StoreSpec, description="The store.")
    s3: S3Spec = Field(default_factory=S3Spec, description="The way to S3.")
    publish: PublishSpec = Field(default_factory=PublishSpec, description="The publication.")
    logs: LogsSpec = Field(default_factory=LogsSpec, description="The log.")
    random_state: int = Field(42, ge=0, le=2**32 - 1, description="Seed of everything random.")

    @property
    def training(self) -> TrainingSpec:
        """What concerns search and training."""
        return TrainingSpec(
            search=self.search,
            features=self.features,
            columns=self.dataset.columns,
            random_state=self.random_state,
        )
