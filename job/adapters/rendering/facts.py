"""Sentences of the model card that depend on the run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from job.adapters.rendering.challenge import describe_challenge, list_challenge_scores
from job.adapters.rendering.escaping import as_code, in_markdown
from job.adapters.rendering.formatting import count, plain_value, score
from job.adapters.rendering.methods import (
    HOLDS_FOR,
    PUBLISHED,
    RECIPE,
    describe_scores,
    method_of,
)
from job.adapters.rendering.out_of_scope import describe_out_of_scope
from job.contracts.nesting import flatten
from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.metadata import Metadata

PRIVACY_SUITE: Final = "curated_training_data"
_KEYS: Final = {"text": "text", "embedding": "embedding", "row": "values", "group": "group"}
_KEPT: Final = (
    "digests of the training rows and a profile of the table are stored outside the version, and "
    "the digests are made with a secret key."
)


def list_facts(metadata: Metadata, evaluation: Evaluation) -> Mapping[str, object]:
    """Return the values of `facts` in the card's template; texts are escaped for Markdown."""
    notes = {**metadata.dataset.metadata, **metadata.dataset.sidecar}
    similarity = evaluation.wording and evaluation.wording.similarity
    challenge = evaluation.challenge
    return {
        "license": notes.get("license"),
        "holds_for": HOLDS_FOR,
        "factors": _describe_factors(evaluation),
        "challenge": [in_markdown(text) for text in describe_challenge(evaluation)],
        "challenge_scores": list_challenge_scores(challenge) if challenge else [],
        "judged": [in_markdown(describe_scores(evaluation)), *_describe_split(evaluation)],
        "score_name": RECIPE if method_of(evaluation) == "cross_fit" else "model",
        "published": PUBLISHED if evaluation.holdout else "",
        "bins": similarity.bins if similarity else [],
        "threshold": _describe_threshold(evaluation),
        "out_of_scope": [in_markdown(text) for text in describe_out_of_scope(evaluation)[:1]],
        "stress": _describe_stress(evaluation),
        "ethics": _describe_people(metadata),
    }


def is_about_privacy(metadata: Metadata) -> bool:
    """Return whether the settings or the expectation suite say that texts are privacy requests.

    The setting `publish.intended_use` decides.  If it is not set, the name of the suite decides.
    """
    settings = dict(flatten(metadata.settings))
    intended_use = settings["publish.intended_use"]
    if intended_use:
        return "privacy" in str(intended_use).lower()
    return settings["expectations.suite"] == PRIVACY_SUITE


def _describe_factors(evaluation: Evaluation) -> str:
    factors = ["by class"]
    columns = dict.fromkeys(s.column for s in evaluation.slices.scores) if evaluation.slices else {}
    if columns:
        factors.append(f"by slices of {', '.join(as_code(name) for name in columns)}")
    if evaluation.wording and evaluation.wording.similarity:
        factors.append("by similarity to the nearest training row")
    text = factors[0] if len(factors) == 1 else f"{', '.join(factors[:-1])} and {factors[-1]}"
    return f"Scores are reported {text}, in `evaluation.json` and in `report.html`."


def _describe_split(evaluation: Evaluation) -> list[str]:
    """Return a sentence about the rows that stay on one side of the split, or that were dropped."""
    split = evaluation.split
    duplicates, has_groups = split.near_duplicates, split.key == "group"
    has_near = duplicates.found_by != "none"
    kept = "rows of one group" if has_groups else f"rows with equal {_KEYS.get(split.key, 'key')}"
    if split.method == "official_test":
        text = (
            f"Training rows that share a text{' or a group' if has_groups else ''} with the "
            f"official test were dropped: {count(split.n_dropped_leaking)}."
        )
        if has_near:
            n = count(duplicates.n_near_official_test)
            text += f" Near-duplicates of its rows stay in training: {n}."
        return [text]
    sides = (
        "in one fold and on one side of the split"
        if method_of(evaluation) == "cross_fit"
        else "on one side of the split"
    )
    if has_near and has_groups:
        n = count(split.n_dropped_leaking)
        return [f"{kept.capitalize()} stay {sides}; training rows that have near-duplicates in "
                f"the hold-out were dropped: {n}."]  # fmt: skip
    near = f" and near-duplicates by {duplicates.found_by}" if has_near else ""
    return [f"{kept.capitalize()}{near} stay {sides}."]


def _describe_threshold(evaluation: Evaluation) -> str:
    decision = evaluation.decision
    if decision is None:
        return ""
    status, value = decision.status, decision.threshold
    rows = " It was chosen on the challenge set."
    learned = rows if decision.learned_on == "challenge" and value is not None else ""
    reason = in_markdown(decision.reason or "")
    target = plain_value(decision.target_precision)
    if status == "not_needed":
        return f"No decision threshold is needed for a precision of {target}. {reason}".strip()
    if value is None:
        return f"No decision threshold is published for a precision of {target}. {reason}".strip()
    text = (
        f"Decision threshold for a precision of {target}: {plain_value(value)}. {reason}{learned}"
    )
    return text.strip()


def _describe_stress(evaluation: Evaluation) -> str:
    stress = evaluation.stress
    if stress is None:
        return ""
    recentered = stress.accuracy_recentered
    return (
        "On batches with a different class mix that are standardized on their own rows, the "
        f"published model's accuracy is {score(stress.accuracy)} (lowest by class: "
        f"{score(stress.worst.accuracy)}); on the same rows with the table's embeddings, it is "
        f"{score(stress.accuracy_as_given)}"
        + ("." if recentered is None else f", and on recentered batches {score(recentered)}.")
    )


def _describe_people(metadata: Metadata) -> list[str]:
    is_private = is_about_privacy(metadata)
    has_texts = metadata.training_keys_of in (None, "text")
    if is_private:
        first = "The texts are people's requests about their privacy and may contain personal data."
    else:
        first = f"The table's {'texts' if has_texts else 'rows'} may contain personal data."
    if metadata.input.kind == "embeddings":
        kept = f"The model uses only embeddings and stores no text; {_KEPT}"
    else:
        kept = (
            "The model stores the words and categories that it learned from, but only those that "
            f"occur with enough different keys; {_KEPT}"
        )
    what = "request" if is_private else "text" if has_texts else "row"
    return [
        first,
        kept,
        f"A {what} that is classified incorrectly may be answered late or not at all. The report "
        "shows the errors of each class."
        if is_private
        else f"A {what} may be classified incorrectly. The report shows the errors of each class.",
    ]
