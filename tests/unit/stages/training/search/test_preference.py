"""Templates add prototypes to the candidates, if the input allows it."""

import pytest

from job.contracts.settings.dataset import ColumnsSpec
from job.contracts.settings.features import FeatureSpec
from job.contracts.settings.job_settings import JobSettings, TrainingSpec
from job.contracts.settings.search import SearchSpec
from job.stages.training.search.preference import resolve_preference


def spec(feature_blocks=("embeddings",), **options):
    return TrainingSpec(
        search=SearchSpec(**options),
        features=FeatureSpec(use=feature_blocks),
        columns=ColumnsSpec(),
        random_state=0,
    )


@pytest.mark.parametrize(
    ("prefer", "is_templated", "geometry", "expected"),
    [
        ("auto", True, "restored", "wording"),
        ("auto", True, "one_length", "wording"),
        ("auto", True, "too_few_rows", "score"),
        ("auto", True, None, "score"),
        ("auto", False, "restored", "score"),
        ("wording", False, None, "wording"),
        ("score", True, "restored", "score"),
    ],
)
def test_preference_follows_the_table_unless_told(prefer, is_templated, geometry, expected):
    training_spec = spec(prefer=prefer)
    search = resolve_preference(training_spec, is_templated=is_templated, geometry=geometry).search

    assert expected == search.prefer
    assert (expected == "wording") == ("prototypes" in search.estimators)
    assert {"logistic_regression", "linear_svc"} <= set(search.estimators)
    assert prefer == training_spec.search.prefer


def test_grid_of_prototypes_that_was_asked_for_stays():
    grid = {"n_centers": (7,)}
    training_spec = spec(estimators={"logistic_regression": {}, "prototypes": grid})

    assert (
        grid
        == resolve_preference(
            training_spec, is_templated=True, geometry="restored"
        ).search.estimators["prototypes"]
    )


@pytest.mark.parametrize(
    "options",
    [
        {"feature_blocks": ("text",)},
        {"feature_blocks": ("text", "embeddings"), "inputs": (("text",),)},
    ],
)
def test_other_inputs_are_chosen_by_score(options):
    search = resolve_preference(spec(**options), is_templated=True, geometry="restored").search

    assert "score" == search.prefer
    assert "prototypes" not in search.estimators


def test_one_input_of_embeddings_alone_is_enough():
    inputs = (("text",), ("embeddings",))
    training_spec = spec(feature_blocks=("text", "embeddings"), inputs=inputs)

    assert (
        "wording"
        == resolve_preference(training_spec, is_templated=True, geometry="restored").search.prefer
    )


def test_wording_that_cannot_be_preferred_is_refused():
    """As a setting, before anything is read."""
    with pytest.raises(ValueError, match=r"search\.prefer=wording needs an input"):
        JobSettings(features={"use": ("text",)}, search={"prefer": "wording"})
