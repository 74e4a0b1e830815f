"""A small store in a folder with everything that a run leaves, made without training."""

from datetime import UTC, datetime

import numpy as np
from support.lineage import KEY, describe, lineage_files, trace_training
from support.reports import make_reports
from support.rows import rows_of_texts
from support.versions import name_of

from job.adapters.stores.directory import DirectoryStore
from job.contracts.identity import Digest, canonical_json
from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.metadata import Metadata
from job.contracts.reports.profile import Numbers, PrincipalAxes, Profile, Values, Words
from job.model_form.block_forms import EmbeddingBlock
from job.model_form.encoding import encode_form
from job.model_form.form import EmbeddingInput, ModelForm
from job.model_form.head_forms import LinearHead, Softmax
from job.registry.anchors import set_anchor
from job.registry.channels import MoveReason
from job.registry.claims import Claim, claim
from job.registry.promotion import ManualMove, promote
from job.registry.publish import publish
from job.stages.gate.group_errors import GroupErrors
from job.stages.gate.kept_errors import store_group_errors

DIGESTS = {"data_digest": "x"}
ROWS = rows_of_texts([f"letter {n}" for n in range(6)])
VERSIONS = [name_of(run_id, day) for day, run_id in enumerate(("r1", "r2"), 1)]
ERRORS = GroupErrors(
    key_id=KEY.id,
    classes=("a", "b"),
    keys=np.arange(1, 5, dtype=np.uint64),
    key_groups=np.arange(4),
    groups=np.arange(4),
    y_true=np.array([0, 0, 1, 1]),
    y_pred=np.array([0, 1, 1, 1]),
    n_rows=np.array([1, 2, 3, 1]),
)
_PART = {"missing": 0.0, "expected_index": 0.1, "degrees_of_freedom": 2.0}
PROFILE = Profile(
    n_rows=6,
    n_groups=6,
    parts={
        "classes": Values(
            **_PART, shares={"a": 0.5, "b": 0.5}, standard_errors={"a": 0.1, "b": 0.1}, other=0.0
        ),
        "column age": Numbers(**_PART, edges=[1.0, 2.0], ties=[2.0], shares=[0.5, 0.2, 0.2, 0.1]),
    },
    words=Words(n_rows=6, n_words=2, unseen_share=0.1, standard_error=0.1),
    embedding_model="m",
    embeddings=PrincipalAxes(
        n_groups=6,
        mean=[0.0, 1.0],
        rms_distance=1.0,
        effective_dimensions=2.0,
        axes=[[1.0, 0.0]],
        explained_variance_ratio=0.5,
        standard_error=0.1,
    ),
)
_CROSS_FIT = {
    "n_folds": 3,
    "n_rows": 7,
    "n_groups": 4,
    "n_effective_groups": 4.0,
    "is_nested": True,
    "n_other_choices": 0,
    "group_errors_digest": str(Digest.of(ERRORS.to_bytes())),
}


def _make_form(metadata):
    """Return the plain form of a model that fits to the metadata."""
    (_, width), classes = metadata["input"]["shape"], tuple(metadata["classes"])
    return ModelForm(
        input=EmbeddingInput(width=width),
        classes=classes,
        decision_threshold=None,
        blocks=(EmbeddingBlock(names=None, n_given=width, unit_rows=True),),
        head=LinearHead(weights=np.ones((width, len(classes))), intercept=np.zeros(len(classes))),
        link=Softmax(factor=1.0),
    )


def make_store(folder):
    """Return a store with two versions, a channel with moves, an anchor, lineage and runs."""
    store, at = DirectoryStore(folder), datetime(2026, 2, 1, tzinfo=UTC)
    metadata, evaluation = make_reports()
    profile = canonical_json(PROFILE.model_dump(mode="json"))
    lineage = trace_training(ROWS)
    store.put_if_absent("lineage/key", f"{KEY.to_text()}\n".encode())
    for run_id, name in zip(("r1", "r2"), VERSIONS, strict=True):
        known = {"model_version": name, "run_id": run_id, "lineage": describe(lineage, profile)}
        files = {
            "model.joblib": b"model",
            "model.safetensors": encode_form(_make_form(metadata)),
            "metadata.json": Metadata(**{**metadata, **known, "cross_fit": _CROSS_FIT}).to_bytes(),
            "evaluation.json": Evaluation.model_validate(evaluation).to_bytes(),
            "report.html": b"<html></html>",
            "figures/roc.svg": b"<svg/>",
        }
        started_at = datetime.strptime(f"{name[1:16]}+0000", "%Y%m%d_%H%M%S%z")
        claim(store, run_id, Claim(version=name, started_at=started_at, digests=DIGESTS))
        store_group_errors(store, run_id, ERRORS)
        publish(store, name, run_id, files, lineage=lineage_files(lineage, profile))
        promote(store, "production", name, ManualMove(at=at, by=run_id, expect=None))
    reason = MoveReason(at=at.isoformat(), by="r1", why="set by hand")
    set_anchor(store, "production", VERSIONS[0], expected=None, reason=reason)
    return store
