"""Hold the candidate beside the champion, on rows that neither was trained on."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from job.contracts.dataset import Rows
from job.contracts.lists import counted
from job.contracts.ports import ArtifactStore, Codec
from job.contracts.search_specs import Use
from job.contracts.specs import TrainingSpec
from job.errors import IncompatibleModelError
from job.stages.channels import read_channel
from job.stages.evaluate import score_model
from job.stages.features import restrict
from job.stages.gate import ChampionComparison
from job.stages.keys import salted_digests
from job.stages.package import describe_input
from job.stages.split import DataSplit
from job.stages.train import TrainedModel
from job.stages.versions import read_verified

_MIN_ROWS: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Champion:
    """The version a channel points to, its verified files, and the pointer as it was read."""

    version: str
    files: dict[str, bytes]
    pointer: bytes


def load_champion(store: ArtifactStore, channel: str | None) -> Champion | None:
    """Read the version a channel points to; None where nothing has been promoted yet.

    Raises
    ------
    IntegrityError
        The pointer or a file of the version is damaged.
    """
    version, pointer = (None, None) if channel is None else read_channel(store, channel)
    if version is None or pointer is None:
        return None
    return Champion(version=version, files=read_verified(store, version), pointer=pointer)


def compare(
    champion: Champion | None,
    candidate: TrainedModel,
    split: DataSplit,
    codec: Codec,
    *,
    spec: TrainingSpec,
) -> ChampionComparison | None:
    """Score both models on the hold-out rows that the champion has not seen either.

    Nor has it seen a near-duplicate of them, as far as the table tells: a family of which any row
    was trained on is left out, except of an official test, which holds near-duplicates by design.
    The champion may take another input than the candidate, if it is one of those searched.
    """
    if champion is None:
        return None
    metric, test = spec.search.metric, split.test
    metadata = json.loads(champion.files["metadata.json"])
    uses = (candidate.use, *spec.search.inputs)
    taken = [
        use
        for use in uses
        if metadata["input"] == describe_input(restrict(test, use, spec.columns), use)
    ]
    if not taken:
        return _incomparable(champion, 0, "it takes another input")
    fresh = test.take(~_is_seen(champion, metadata["training_keys_salt"], split))
    if len(fresh) < _MIN_ROWS:
        return _incomparable(
            champion,
            len(fresh),
            f"it was trained on all but {counted(len(fresh), 'hold-out row')}",
        )
    try:
        model = codec.decode(champion.files["model.joblib"])
    except IncompatibleModelError as error:
        return _incomparable(champion, len(fresh), error.message)

    def score(some: Any, use: Use) -> float | None:
        return score_model(some, restrict(fresh, use, spec.columns), use).get(metric.value)

    return ChampionComparison(
        version=champion.version,
        n_rows=len(fresh),
        champion_score=score(model, taken[0]),
        candidate_score=score(candidate.pipeline, candidate.use),
        problem=f"{metric.value} is undefined on these rows",
    )


def _is_seen(champion: Champion, salt: str, split: DataSplit) -> np.ndarray[Any, Any]:
    trained = np.load(io.BytesIO(champion.files["training_keys.npy"]), allow_pickle=False)

    def was_trained_on(rows: Rows) -> np.ndarray[Any, Any]:
        by_key = np.isin(salted_digests("trained", rows.keys, salt), trained)
        found: np.ndarray[Any, Any] = by_key
        if (rows.keys != rows.text_keys).any():
            found = by_key | np.isin(salted_digests("trained", rows.text_keys, salt), trained)
        return found

    is_seen = was_trained_on(split.test)
    table, test = split.table, split.test
    if split.report.method == "official_test" or table.families is None or test.families is None:
        return is_seen
    return is_seen | np.isin(test.families, table.families[was_trained_on(table)])


def _incomparable(champion: Champion, n_rows: int, problem: str) -> ChampionComparison:
    return ChampionComparison(
        version=champion.version,
        n_rows=n_rows,
        champion_score=None,
        candidate_score=None,
        problem=problem,
    )
