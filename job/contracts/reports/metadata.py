"""The content of metadata.json: what a consumer and an auditor need to know about a version."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field, JsonValue

from job.contracts.reports.decision_threshold import ThresholdStatus
from job.contracts.reports.evaluation import CrossFit
from job.contracts.reports.geometry import Geometry
from job.contracts.reports.input_check import InputCheck
from job.contracts.reports.intervals import Interval
from job.contracts.reports.manifest import FileEntry
from job.contracts.reports.origin import DatasetDescription, Environment
from job.contracts.reports.part import Count, Part, Probability, RoundedProbability, is_none
from job.contracts.reports.published_file import DigestText, PublishedFile, VersionName
from job.contracts.reports.scores import Scores
from job.contracts.reports.split import SplitReport

_EARLIER = "Absent in files of earlier releases."


class TrainedOn(Part):
    """The rows that the model was trained on."""

    n_train: Count = Field(description="Training rows.")
    data_version: DigestText = Field(description="SHA-256 of the table's file.")
    trained_at: str = Field(description="Start of the run, ISO 8601.")


class ModelInput(Part):
    """The input that the model's `predict_proba` expects."""

    kind: Literal["embeddings", "text", "dataframe"] = Field(
        description="A matrix, a list of texts, or a DataFrame of named columns."
    )
    names: tuple[str, ...] = Field(description="Columns of the DataFrame; otherwise empty.")
    dtypes: tuple[str, ...] = Field(
        description="`float32` or `str`: one for each column, or one for all values."
    )
    shape: tuple[int | None, ...] = Field(
        description="Shape of a batch; null stands for the number of rows."
    )


class PublishedDecision(Part):
    """The decision threshold, and its effect on rows that were not used to choose it."""

    target_precision: Probability = Field(description="`decision.target_precision`.")
    threshold: Probability | None = Field(
        description="Minimum confidence of an answer; null: see `status`."
    )
    status: ThresholdStatus | None = Field(
        None,
        description="Why there is a threshold, or none: it was chosen, all answers reach the "
        "target anyway, no threshold can be shown to reach the target, or most rows come from "
        f"sentence templates. {_EARLIER}",
    )
    reason: str | None = Field(None, description=f"The status as a sentence. {_EARLIER}")
    learned_on: Literal["table", "challenge"] | None = Field(
        None, description=f"Rows that the threshold was chosen on. {_EARLIER}"
    )
    coverage: RoundedProbability | None = Field(
        description="Share of the rows that are answered; null without a threshold."
    )
    precision: RoundedProbability | None = Field(
        description="Share of the answers that are correct; null if nothing is answered."
    )


class Override(Part):
    """Why an operator published a candidate that the gate rejected."""

    reason: str = Field(description="The reason that the operator gave.")
    rejected_for: tuple[str, ...] = Field(description="The gate's reasons.")


class PublishedCrossFit(CrossFit):
    """Folds of a cross-fitted evaluation, and the digest of the file with the groups' errors."""

    group_errors_digest: DigestText = Field(
        description="Digest of the file below `runs/<run_id>/group_errors/`, which later runs read."
    )


class PublishedLineage(Part):
    """Names the lineage file, whose keyed digests tell which rows a version was trained on."""

    key_id: str = Field(pattern="^[0-9a-f]{16}$", description="Id of the key of the digests.")
    digest: DigestText = Field(description="SHA-256 of `lineage/<version>.npy` in the store.")
    profile_digest: DigestText = Field(
        description="SHA-256 of `lineage/<version>.profile.json` in the store."
    )


class ChallengeSummary(Part):
    """The published model's scores on the challenge set."""

    n_rows: Count = Field(description="Rows that were evaluated.")
    n_groups: Count = Field(description="Groups of near-duplicates among the evaluated rows.")
    judged: Literal["all", "half"] = Field(
        description="Whether all rows of the set or half of them were evaluated."
    )
    used_for: tuple[Literal["choice", "threshold"], ...] = Field(
        description="What rows of the set were used for, besides evaluation."
    )
    level: Probability = Field(description="Confidence level of the intervals.")
    accuracy: Interval = Field(description="Share of correct predictions.")
    f1_macro: Interval = Field(description="Mean F1 of the classes.")


class AnchorRequest(Part):
    """The anchor that the promotion of the version sets.

    An anchor is a fixed version that candidates are compared with, in addition to the champion.
    """

    version: VersionName = Field(description="Version that becomes the anchor.")
    replaces: VersionName | None = Field(
        description="Version that is the anchor before the promotion; null: there is none."
    )


class PromotionTerms(PublishedFile):
    """The keys of metadata.json that verification and promotion depend on."""

    model_version: VersionName | None = Field(None, description="Name of the version.")
    run_id: str | None = Field(None, description="Run that trained the model.")
    override: Override | None = Field(None, description="null: the gate accepted the candidate.")
    sets_anchor: AnchorRequest | None = Field(
        None, description=f"null: the promotion sets no anchor. {_EARLIER}"
    )
    model_files: tuple[FileEntry, ...] = Field(
        (),
        description="Files of the model that was evaluated, sorted by name; the manifest lists "
        f"the same. {_EARLIER}",
    )


class Metadata(PromotionTerms):
    """What a consumer and an auditor need to know about a version.

    PCC reads the keys `model_version`, `embedding_model`, `classifier` and `trained_on`.
    """

    model_config = ConfigDict(title="metadata.json")

    model_version: VersionName = Field(description="Name of the version.")
    embedding_model: str | None = Field(
        description="Model that the embeddings must come from; null: the model takes none."
    )
    classifier: str = Field(description="Name of the estimator.")
    trained_on: TrainedOn = Field(description="The rows that the model was trained on.")
    run_id: str = Field(description="Run that trained the model.")
    data_digest: DigestText = Field(description="`content_digest` of the table.")
    settings_digest: DigestText = Field(
        description="SHA-256 of the settings that can change a model."
    )
    test_data_digest: DigestText | None = Field(
        None,
        exclude_if=is_none,
        description="`content_digest` of the official test table. Absent without one.",
    )
    challenge_data_digest: DigestText | None = Field(
        None,
        exclude_if=is_none,
        description="`content_digest` of the challenge set. Absent without one.",
    )
    out_of_scope_data_digest: DigestText | None = Field(
        None,
        exclude_if=is_none,
        description="`content_digest` of the out-of-scope set. Absent without one.",
    )
    dataset: DatasetDescription = Field(description="The origin of the table.")
    split: SplitReport = Field(description="Counts of the split.")
    settings: dict[str, JsonValue] = Field(
        description="All settings of the run, by their names in this release."
    )
    hyperparameters: dict[str, object] = Field(
        description="Parameters of the estimator, by scikit-learn's names."
    )
    metrics: Scores = Field(description="`scores` of evaluation.json.")
    classes: tuple[str, ...] = Field(
        description="Classes in the order of the columns of `predict_proba`."
    )
    input: ModelInput = Field(description="The input of the model.")
    lineage: PublishedLineage | None = Field(
        None, description=f"The lineage file, which consumers cannot read. {_EARLIER}"
    )
    training_keys_of: str | None = Field(
        None,
        description="Source of most leakage keys of the training rows, such as `text` or "
        f"`embedding`. {_EARLIER}",
    )
    training_keys_salt: str | None = Field(
        None,
        exclude_if=is_none,
        description="Salt of the digests in `training_keys.npy`, a file of earlier releases. "
        "Absent in later versions.",
    )
    random_state: int = Field(description="Seed of the run.")
    environment: Environment = Field(description="Installation and machine of the run.")
    compatible_with: tuple[str, ...] = Field(
        (), description=f"Other package versions that can load the model. {_EARLIER}"
    )
    decision: PublishedDecision | None = Field(
        None, description=f"null: no target precision was set. {_EARLIER}"
    )
    cross_fit: PublishedCrossFit | None = Field(
        None, description=f"null: the table was not cross-fitted. {_EARLIER}"
    )
    challenge: ChallengeSummary | None = Field(
        None, description=f"null: there is no challenge set. {_EARLIER}"
    )
    geometry: Geometry | None = Field(
        None,
        description="Whether the model maps embeddings back to rows of length 1; null: it takes no "
        f"embeddings, or `features.geometry` is `given`. {_EARLIER}",
    )
    input_check: InputCheck | None = Field(
        None,
        description="Bounds by which a consumer detects a batch of embeddings that was "
        f"standardized on its own rows; null: there is nothing to check. {_EARLIER}",
    )
    limitations: tuple[str, ...] = Field(
        (), description=f"Findings that weaken the scores, as sentences. {_EARLIER}"
    )
