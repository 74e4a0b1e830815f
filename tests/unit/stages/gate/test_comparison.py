"""Champion and candidate are compared on rows that neither was trained on, or not at all."""

import io
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from support.evaluations import make_whole_evaluation
from support.lineage import KEY, OTHER_KEY, describe, lineage_files, mount, trace_training
from support.memory_store import MemoryStore
from support.metadata import make_metadata
from support.trained_models import encode_models
from support.versions import name_of

from job.adapters.codecs.canonical_joblib import JoblibCodec
from job.contracts.dataset import Rows
from job.contracts.identity import canonical_json
from job.contracts.matrix_rows import MatrixRows
from job.contracts.metrics import METRICS, list_choosable
from job.contracts.model import TrainedModel
from job.contracts.reports.validation import ValidationReport
from job.contracts.settings.dataset import ColumnsSpec
from job.contracts.settings.features import FeatureSpec
from job.contracts.settings.gate import PairedSpec
from job.contracts.settings.job_settings import TrainingSpec
from job.contracts.settings.search import SearchSpec
from job.errors import ConfigurationError, IntegrityError
from job.registry.champion import PublishedVersion, load_anchor, load_champion
from job.registry.publish import publish
from job.stages.data.leakage_keys import salted_digests
from job.stages.features.preprocessing import make_unit_rows
from job.stages.gate.comparison import compare
from job.stages.gate.held_out_comparison import ComparedModel, ComparisonSpec
from job.stages.packaging.bundle import make_bundle
from job.stages.packaging.metadata import describe_input

VERSION = name_of("r1", 1)
USE = ("embeddings",)
VALIDATION = ValidationReport.of("s", (), n_rows=0, n_dropped=0, dropped_by_rule={})


class NoPages:
    """A renderer without pages."""

    def render(self, metadata, evaluation, validation=None):
        return {}


def make_rows(start, stop, *, width=3, text_prefix="text"):
    """Return rows whose first number determines the class, keyed by their position."""
    positions = np.arange(start, stop)
    matrix = np.zeros((len(positions), width), np.float32)
    matrix[:, 0] = np.where(positions % 2, 1, -1)
    return Rows(
        y=np.array(["odd" if n % 2 else "even" for n in positions], dtype=object),
        leakage_keys=np.array([f"key:{n}" for n in positions], dtype=object),
        text_keys=np.array([f"{text_prefix}:{n}" for n in positions], dtype=object),
        text=None,
        embeddings=MatrixRows(matrix, np.arange(len(matrix))),
        frame=pd.DataFrame(index=range(len(positions))),
    )


def fit(rows, *, is_inverted=False):
    """Fit a pipeline; an inverted one is always wrong."""
    y = rows.y.astype(str)
    if is_inverted:
        y = np.where(y == "odd", "even", "odd")
    steps = [("preprocess", make_unit_rows()), ("classifier", LogisticRegression())]
    return Pipeline(steps).fit(rows.embeddings.read(), y)


def make_files(rows, *, key=KEY, **more):
    metadata = make_metadata(
        **{
            "input": describe_input(rows, USE),
            "embedding_model": "ours",
            "lineage": describe(trace_training(rows, key), key=key),
            **more,
        }
    )
    models = encode_models(fit(rows), rows)
    evaluation = make_whole_evaluation()
    return make_bundle(models, metadata, evaluation, VALIDATION, NoPages())


def make_champion(rows, *, key=KEY, **options):
    files = make_files(rows, key=key, **options)
    return PublishedVersion(
        version=VERSION, files=files, lineage=trace_training(rows, key), key=key
    )


def compare_with(
    champion,
    test,
    *,
    candidate=None,
    metric=METRICS["accuracy"],
    feature_blocks=USE,
    inputs=(),
    **split,
):
    model = TrainedModel(
        estimator="logistic_regression",
        parameters=(),
        feature_blocks=feature_blocks,
        pipeline=candidate or fit(make_rows(0, 30)),
        baselines=(),
    )
    spec = TrainingSpec(
        search=SearchSpec(metric=metric, inputs=inputs),
        features=FeatureSpec(use=(*USE, "numeric")),
        columns=ColumnsSpec(numeric=("length",)),
        random_state=0,
    )
    paired = PairedSpec(metric=metric, alpha=0.05, resamples=1000, random_state=0)
    return compare(
        champion,
        ComparedModel(
            model=model, payload=JoblibCodec().encode(model.pipeline), embedding_model="ours"
        ),
        test,
        table_of(test, **split),
        ComparisonSpec(training=spec, paired=paired),
    )


def table_of(test, *, train=None, method="hash"):
    """Return a table with the test rows, and the training rows if there are any."""
    if method == "official_test":
        return None
    if train is None:
        return test
    names = ("y", "leakage_keys", "text_keys", "near_duplicate_groups")
    both = {n: np.concatenate([getattr(train, n), getattr(test, n)]) for n in names}
    return replace(train, **both)


def point_to(store, version):
    store.objects["channels/production.json"] = canonical_json({"version": version})


def test_channel_without_a_version_has_no_champion():
    """The first run has no champion."""
    assert load_champion(MemoryStore(), "production", mount(MemoryStore())) is None


def test_champion_is_the_version_of_the_channel_with_its_pointer():
    """The promotion expects the pointer as it was read."""
    store, files = MemoryStore(), make_files(make_rows(0, 40))
    publish(store, VERSION, "r1", files)
    point_to(store, VERSION)
    champion = load_champion(store, "production", mount(store))

    assert (VERSION, store.objects["channels/production.json"]) == (
        champion.version,
        champion.pointer,
    )


def test_damaged_champion_is_refused():
    """A model that differs from the published one is not loaded."""
    store = MemoryStore()
    publish(store, VERSION, "r1", make_files(make_rows(0, 40)))
    point_to(store, VERSION)
    store.objects[f"{VERSION}/model.joblib"] += b" "

    with pytest.raises(IntegrityError, match=r"model\.joblib"):
        load_champion(store, "production", mount(store))


def test_unseen_rows_are_all_compared():
    """No key and no text occurs in both tables."""
    assert 50 == compare_with(make_champion(make_rows(0, 40)), make_rows(100, 150)).n_rows


def test_both_models_are_scored():
    """The champion is always right, and this candidate always wrong."""
    rows = make_rows(0, 40)
    comparison = compare_with(
        make_champion(rows), make_rows(100, 150), candidate=fit(rows, is_inverted=True)
    )

    assert (1.0, 0.0) == (comparison.champion_score, comparison.candidate_score)


def test_rows_of_a_key_that_the_champion_was_trained_on_are_left_out():
    """Their texts differ, but their group is the same."""
    champion = make_champion(make_rows(0, 40))

    comparison = compare_with(champion, make_rows(20, 100, text_prefix="other"))

    assert (60, 20) == (comparison.n_rows, comparison.n_excluded)


def test_rows_of_a_text_that_the_champion_was_trained_on_are_left_out():
    """Their groups differ, but their text is the same."""
    trained, test = make_rows(0, 40), make_rows(20, 100)
    renamed = np.array([f"new:{key}" for key in test.leakage_keys], dtype=object)
    test = Rows(
        **{name: getattr(test, name) for name in Rows.__slots__} | {"leakage_keys": renamed}
    )

    assert 60 == compare_with(make_champion(trained), test).n_rows


def test_seen_rows_are_found_with_the_champions_own_key():
    """The key is the one that the digests were made with."""
    champion = make_champion(make_rows(0, 40), key=OTHER_KEY)

    assert 60 == compare_with(champion, make_rows(20, 100)).n_rows


def test_seen_rows_of_an_earlier_release_are_found():
    """Its version has salted digests of the training rows, and no lineage."""
    rows = make_rows(0, 40)
    files = make_files(rows, lineage=None, training_keys_salt="pcc")
    digests = np.unique(salted_digests("trained", [*rows.leakage_keys, *rows.text_keys], "pcc"))
    stream = io.BytesIO()
    np.save(stream, digests)
    champion = PublishedVersion(
        version=VERSION, files={**files, "training_keys.npy": stream.getvalue()}
    )

    assert 60 == compare_with(champion, make_rows(20, 100)).n_rows


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"key": None}, f"lineage key {KEY.id} is missing"),
        ({"lineage": None}, "its lineage file was removed"),
    ],
    ids=["key", "file"],
)
def test_champion_whose_training_rows_are_unknown_cannot_be_compared(changes, problem):
    """Otherwise it would be compared on rows that it was trained on."""
    champion = replace(make_champion(make_rows(0, 40)), **changes)

    assert problem == compare_with(champion, make_rows(100, 150)).problem


def test_champion_is_read_with_its_lineage():
    store, rows = MemoryStore(), make_rows(0, 40)
    publish(store, VERSION, "r1", make_files(rows), lineage=lineage_files(trace_training(rows)))
    point_to(store, VERSION)
    known, unknown = (load_champion(store, "production", mount(store, k)) for k in (KEY, OTHER_KEY))

    assert (trace_training(rows), KEY, None) == (known.lineage, known.key, unknown.key)


def test_altered_lineage_is_refused():
    """Without its rows, the champion would be compared on rows that it was trained on."""
    store, rows = MemoryStore(), make_rows(0, 40)
    publish(store, VERSION, "r1", make_files(rows), lineage=lineage_files(b"of no row"))
    point_to(store, VERSION)

    with pytest.raises(IntegrityError, match="lineage/"):
        load_champion(store, "production", mount(store))


def test_champion_of_another_input_cannot_be_compared():
    """A model of other embeddings cannot predict these rows."""
    comparison = compare_with(make_champion(make_rows(0, 40, width=2)), make_rows(100, 150))

    assert (None, None, "it takes a different input") == (
        comparison.champion_score,
        comparison.candidate_score,
        comparison.problem,
    )


def test_champion_without_a_plain_form_cannot_be_compared():
    """An earlier release published it; its joblib file is not read."""
    champion = make_champion(make_rows(0, 40))
    files = {**champion.files, "model.joblib": b"not read"}
    del files["model.safetensors"]
    comparison = compare_with(replace(champion, files=files), make_rows(100, 150))

    assert (None, None) == (comparison.champion_score, comparison.candidate_score)
    assert "has no model.safetensors" in comparison.problem


def test_equal_champion_without_a_plain_form_is_compared():
    """Its joblib file has the candidate's bytes, so the candidate's model stands for it."""
    rows = make_rows(0, 30)
    champion = make_champion(rows)
    files = {name: d for name, d in champion.files.items() if name != "model.safetensors"}
    comparison = compare_with(replace(champion, files=files), make_rows(100, 150))

    assert 0.0 == comparison.difference.value


def test_damaged_plain_form_of_the_champion_is_an_error():
    champion = make_champion(make_rows(0, 40))
    files = {**champion.files, "model.safetensors": b"damaged"}

    with pytest.raises(IntegrityError, match=f"{VERSION}/model.safetensors"):
        compare_with(replace(champion, files=files), make_rows(100, 150))


@pytest.mark.parametrize(("n_unseen", "is_comparable"), [(29, False), (30, True)])
def test_fewer_than_thirty_unseen_rows_cannot_be_compared(n_unseen, is_comparable):
    """Differences on so few rows are due to chance."""
    champion = make_champion(make_rows(0, 40))
    comparison = compare_with(champion, make_rows(20, 40 + n_unseen))

    assert is_comparable == (comparison.champion_score is not None)


def test_problem_of_too_few_rows_gives_their_number():
    """The operator sees how many rows are missing."""
    comparison = compare_with(make_champion(make_rows(0, 40)), make_rows(20, 45))

    assert "it was trained on all but 5 hold-out rows in 5 groups" == comparison.problem


def test_metric_that_these_rows_do_not_define_cannot_be_compared():
    """ROC-AUC is undefined for a single class."""
    test = make_rows(100, 200)
    comparison = compare_with(
        make_champion(make_rows(0, 40)), test.take(test.y == "odd"), metric=METRICS["roc_auc_ovr"]
    )

    assert (None, "roc_auc_ovr is undefined on these rows") == (
        comparison.champion_score,
        comparison.problem,
    )


@pytest.mark.parametrize("metric", list_choosable())
def test_every_metric_can_be_compared(metric):
    """Every metric that can choose the candidate can also compare it."""
    comparison = compare_with(make_champion(make_rows(0, 40)), make_rows(100, 150), metric=metric)

    assert None not in (comparison.champion_score, comparison.candidate_score)


def test_always_wrong_candidate_loses_everything_for_sure():
    """The result is the difference of two scores on the same rows, with its bounds."""
    rows = make_rows(0, 40)
    wrong = fit(rows, is_inverted=True)
    difference = compare_with(make_champion(rows), make_rows(100, 150), candidate=wrong).difference

    assert -1.0 == difference.value
    assert difference.upper < -0.9


def test_champion_of_other_classes_cannot_be_compared():
    """It cannot be right about a class that it does not know."""
    rows = make_rows(0, 40)
    y = np.where(np.arange(40) < 4, "third", rows.y).astype(object)
    champion = make_champion(replace(rows, y=y), classes=("even", "odd", "third"))
    comparison = compare_with(champion, make_rows(100, 150))

    assert (None, "its classes differ: 1 class known only to it") == (
        comparison.difference,
        comparison.problem,
    )


@pytest.mark.parametrize(
    "changes",
    [{"classes": ("even", "other")}, {"input": describe_input(make_rows(0, 4, width=2), USE)}],
)
def test_plain_form_that_differs_from_its_metadata_is_an_error(changes):
    """Somebody has replaced one of the two; the model is not asked for predictions."""
    rows = make_rows(0, 40)
    files = {
        **make_files(rows, **changes),
        "model.safetensors": make_files(rows)["model.safetensors"],
    }
    champion = replace(make_champion(rows), files=files)
    test = make_rows(100, 150, width=2 if "input" in changes else 3)

    with pytest.raises(IntegrityError, match="another input than metadata"):
        compare_with(champion, test)


@pytest.mark.parametrize("name", [VERSION, "anchors"])
def test_anchor_is_found_by_version_or_channel(name):
    """A channel that is never moved serves as a name for a version."""
    store = MemoryStore()
    publish(store, VERSION, "r1", make_files(make_rows(0, 40)))
    store.objects["channels/anchors.json"] = canonical_json({"version": VERSION})
    anchor = load_anchor(store, name, mount(store))

    assert (VERSION, "anchor") == (anchor.version, anchor.role)


def test_anchor_that_does_not_exist_is_refused():
    """A rule must not silently compare nothing."""
    with pytest.raises(ConfigurationError, match=r"gate\.anchor"):
        load_anchor(MemoryStore(), VERSION, mount(MemoryStore()))


def test_metadata_of_the_bundle_is_json():
    """The compared metadata have been read from a file."""
    assert "input" in json.loads(make_files(make_rows(0, 40))["metadata.json"])


@pytest.mark.parametrize(("inputs", "n_rows"), [((USE, ("numeric",)), 50), ((("numeric",),), 0)])
def test_champion_of_another_searched_input_is_compared_on_its_own(inputs, n_rows):
    """A search that may choose the input must be able to choose a better one."""
    test = make_rows(100, 150)
    frame = pd.DataFrame({"length": np.where(test.y == "odd", 1, -1)}, dtype=np.float32)
    test = replace(test, frame=frame)
    candidate = LogisticRegression().fit(frame, test.y.astype(str))
    comparison = compare_with(
        make_champion(make_rows(0, 40)),
        test,
        candidate=candidate,
        feature_blocks=("numeric",),
        inputs=inputs,
    )

    assert (n_rows, n_rows > 0) == (comparison.n_rows, comparison.champion_score == 1.0)


def with_own_groups(rows, first):
    """Return the rows, each in its own near-duplicate group, numbered from `first`."""
    return replace(rows, near_duplicate_groups=np.arange(first, first + len(rows)))


@pytest.mark.parametrize(("method", "n_rows"), [("hash", 60), ("official_test", 80)])
def test_rows_near_to_what_the_champion_was_trained_on_are_left_out(method, n_rows):
    """Training rows of today's table are their near-duplicates; an official test has such rows."""
    trained = with_own_groups(make_rows(0, 40), 0)
    test = with_own_groups(make_rows(100, 180), 20)
    comparison = compare_with(make_champion(make_rows(0, 40)), test, train=trained, method=method)

    assert n_rows == comparison.n_rows


def test_near_duplicates_of_test_rows_that_the_champion_was_trained_on_are_left_out():
    """A new row may move its group of near-duplicates to the other side."""
    test = make_rows(20, 100)
    test = replace(test, near_duplicate_groups=np.arange(80) // 2)
    champion = make_champion(make_rows(0, 31))  # its last row is the first of a pair

    assert 80 - 12 == compare_with(champion, test, train=test.take(np.zeros(80, bool))).n_rows


@pytest.mark.parametrize(
    ("metadata", "problem"),
    [
        ({"embedding_model": "theirs"}, "embeddings come from a different model"),
        (
            {"training_keys_of": "embedding"},
            "identified by embedding, the rows of this table by text",
        ),
    ],
)
def test_champion_of_another_kind_of_rows_is_not_compared(metadata, problem):
    """Its scores would be those of noise, or of rows that it was trained on."""
    comparison = compare_with(make_champion(make_rows(0, 40), **metadata), make_rows(100, 150))

    assert problem in comparison.problem
    assert comparison.difference is None


def test_rows_of_few_groups_show_nothing():
    """Agreement on four groups is no evidence, however many rows they have."""
    test = make_rows(100, 200)
    keys = np.array([f"group:{n % 4}" for n in range(100)], dtype=object)
    comparison = compare_with(make_champion(make_rows(0, 40)), replace(test, leakage_keys=keys))

    assert comparison.difference is None
    assert "in 4 groups" in comparison.problem


def test_very_same_model_is_as_good_on_any_rows():
    """This also holds on rows that it was trained on, and on too few rows."""
    rows = make_rows(0, 40)
    difference = compare_with(make_champion(rows), rows, candidate=fit(rows)).difference

    assert (0.0, 0.0, 0.0) == (difference.value, difference.lower, difference.upper)


def test_texts_that_differ_in_their_slots_alone_count_as_trained_on():
    """The old rows need not be in today's table."""

    def fill(rows, number):
        texts = [f"text:order {number} of kind {chr(97 + n % 26)}{n} is late" for n in range(40)]
        templates = [f"text:order 0 of kind {chr(97 + n % 26)}{n} is late" for n in range(40)]
        keys, templates = (np.array(values, dtype=object) for values in (texts, templates))
        return replace(rows, leakage_keys=keys, text_keys=keys, templates=templates)

    champion = make_champion(fill(make_rows(0, 40), 11111))
    comparison = compare_with(champion, fill(make_rows(100, 140), 22222))

    assert (0, 40) == (comparison.n_rows, comparison.n_excluded)
