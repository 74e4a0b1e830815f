"""A challenge set in a real process: it is evaluated, gated and compared, and never trained on."""

import json

import numpy as np
import pandas as pd
import pytest
from support.request_sets import LABELS, SETTINGS, make_texts, read, start_with


def make_rows(n_rows, seed, *, spread=0.5):
    """Generate texts of random words, and embeddings around the center of each class."""
    rng = np.random.default_rng(seed)
    y = np.arange(n_rows) % 3
    X = np.eye(3, 12)[y] + spread * rng.standard_normal((n_rows, 12))
    return pd.DataFrame(
        {
            "text": make_texts(n_rows, rng),
            "intent": LABELS[y],
            "embedding": list(X.astype(np.float32)),
        }
    )


@pytest.fixture
def run(pcc_job, tmp_path):
    make_rows(600, 0).to_parquet(tmp_path / "table.parquet")

    def start(challenge, *settings, command="run", options=()):
        return start_with(
            pcc_job,
            tmp_path,
            challenge,
            settings,
            name="challenge.parquet",
            setting="evaluation.challenge_uri",
            command=command,
            options=options,
        )

    return start


def test_set_is_judged_first_and_its_near_duplicates_leave_training(run, result_of, tmp_path):
    """Near-duplicates are dropped and counted; digest, scores and interval are published."""
    table = pd.read_parquet(tmp_path / "table.parquet")
    copies = table.iloc[[5, 17, 300]].assign(text=lambda t: t["text"] + " again")
    done = run(pd.concat([make_rows(90, 1), copies]))
    result = result_of(done)
    evaluation, metadata = (
        read(tmp_path, result, f"{name}.json") for name in ("evaluation", "metadata")
    )
    found, split = evaluation["challenge"], evaluation["split"]

    assert (93, 93, "all", ["threshold"]) == tuple(
        found[name] for name in ("n_rows", "n_groups", "judged", "used_for")
    )
    assert 3 == found["n_dropped_from_training"] == split["n_dropped_challenge"]
    assert 597 == split["n_train"] + split["n_test"]
    assert 0.5 < found["intervals"]["scores"]["accuracy"]["lower"] < found["scores"]["accuracy"]
    assert found["scores"]["accuracy"] == metadata["challenge"]["accuracy"]["value"]
    assert metadata["challenge_data_digest"].startswith("sha256:")
    assert "challenge" == metadata["decision"]["learned_on"] == evaluation["decision"]["learned_on"]
    assert '"challenge_judged"' in done.stderr
    card = (tmp_path / "models" / result["version"] / "model_card.md").read_text()
    assert "On 93 requests of the challenge set in 93 groups" in card


@pytest.mark.parametrize(
    ("settings", "lacking"),
    [
        ((), "embedding"),
        (("features.use=[text, embeddings]", "search.inputs=[[text], [text, embeddings]]"), "text"),
    ],
)
def test_set_that_lacks_what_a_candidate_takes_is_2(run, tmp_path, settings, lacking):
    """The error comes before the search and names column and setting; so does `validate`."""
    challenge = make_rows(60, 1).drop(columns=lacking)
    for command in ("run", "validate"):
        done = run(challenge, *settings, command=command)

        assert 2 == done.returncode
        assert f"lacks '{lacking}'" in done.stderr
        assert "evaluation.challenge_uri" in done.stderr
    assert not list((tmp_path / "models").glob("v*"))


def test_set_that_is_like_the_table_is_a_warning(run, tmp_path):
    """A tenth of the table is left out because of the set."""
    table = pd.read_parquet(tmp_path / "table.parquet")
    done = run(pd.concat([make_rows(60, 1), table.iloc[::10]]))
    other = run(make_rows(60, 1))

    assert 0 == done.returncode
    assert '"challenge_set_near_table"' in done.stderr
    assert '"challenge_set_near_table"' not in other.stderr


def test_set_without_texts_is_judged_by_embeddings(run, result_of, tmp_path):
    """The model takes no texts, and near-duplicates are found by embeddings."""
    table = pd.read_parquet(tmp_path / "table.parquet")
    challenge = pd.concat([make_rows(60, 1), table.iloc[[7]]]).drop(columns="text")
    evaluation = read(tmp_path, result_of(run(challenge)), "evaluation.json")

    assert 61 == evaluation["challenge"]["n_rows"]
    assert 1 <= evaluation["challenge"]["n_dropped_from_training"] <= 30


def test_unknown_label_is_4(run):
    """The data owner has to act; the message does not contain the label."""
    challenge = make_rows(60, 1)
    challenge.loc[0, "intent"] = "canary"
    done = run(challenge)

    assert 4 == done.returncode
    assert "challenge_label_in_table" in done.stderr
    assert "canary" not in done.stderr


def test_floor_on_the_challenge_set_rejects(run):
    """The requests are harder than the table's own rows."""
    done = run(make_rows(90, 1, spread=2.0), "gate.challenge_floors.accuracy=0.9")

    reason = json.loads(done.stderr.splitlines()[-1])["reason"]
    assert 6 == done.returncode
    assert "challenge_accuracy 0." in reason
    assert "minimum 0.9" in reason


def test_champion_is_compared_on_the_set_and_a_shown_drop_rejects(run, result_of, tmp_path):
    """An equal model passes; a worse one on the set does not, whatever its score on the table."""
    challenge = make_rows(300, 1)
    result_of(run(challenge))
    second = read(tmp_path, result_of(run(challenge, "split.salt=other")), "evaluation.json")
    worse = run(
        challenge,
        *("search.estimators={dummy: {}}", "gate.margin=1.0", "gate.recall_margin=null"),
    )
    bases = {c["basis"]: c for c in second["gate"]["comparisons"] if c["role"] == "champion"}
    reason = json.loads(worse.stderr.splitlines()[-1])["reason"]

    assert 300 == bases["challenge"]["n_rows"]
    assert 6 == worse.returncode
    assert "of the challenge set: difference -0." in reason


def test_set_chooses_by_one_half_and_judges_by_the_other(run, result_of, tmp_path):
    """Every candidate that completed the search has a score on the half for choosing."""
    settings = (
        "search.choose_on=challenge",
        "evaluation.challenge_split=half",
        "search.estimators={logistic_regression: {C: [0.001, 10]}, dummy: {}}",
    )
    evaluation = read(tmp_path, result_of(run(make_rows(121, 1), *settings)), "evaluation.json")
    found, search = evaluation["challenge"], evaluation["search"]

    assert ("half", ["choice", "threshold"], False) == (
        found["judged"],
        found["used_for"],
        found["is_used_up"],
    )
    assert 50 <= found["n_rows"] <= 70
    assert 121 - found["n_rows"] == evaluation["decision"]["n_chosen_on"]
    assert found["n_rows"] == evaluation["decision"]["n_measured_on"]
    assert "challenge" == search["chosen_on"]
    assert (
        max(c["challenge_score"] for c in search["candidates"])
        == search["chosen"]["challenge_score"]
    )


def test_set_that_chose_and_judges_is_said_to_be_used_up(run, result_of, tmp_path):
    """The log, the limitations and the report say so."""
    done = run(make_rows(60, 1), "search.choose_on=challenge")
    version = tmp_path / "models" / result_of(done)["version"]
    limitations = json.loads((version / "metadata.json").read_text())["limitations"]

    decision = json.loads((version / "metadata.json").read_text())["decision"]

    assert (None, "not_shown") == (decision["threshold"], decision["status"])
    assert "challenge_split=half" in decision["reason"]
    assert '"challenge_set_used_up"' in done.stderr
    assert any("used up for evaluation" in text for text in limitations)
    assert "used up for evaluation" in (version / "report.html").read_text()


def test_set_of_few_requests_chooses_nothing(run):
    """The error comes before the search."""
    done = run(make_rows(12, 1), "search.choose_on=challenge")

    assert 2 == done.returncode
    assert "needs at least 20 requests" in done.stderr
    assert '"model_trained"' not in done.stderr


def test_another_set_is_another_run(run, result_of):
    """A run id stands for one table, one set and one choice of settings."""
    first, same, other = (run(make_rows(60, n), options=("--run-id", "one")) for n in (1, 1, 2))

    assert "published" == result_of(first)["outcome"]
    assert "already_published" == result_of(same)["outcome"]
    assert 2 == other.returncode
    assert "run id 'one' was used" in other.stderr


def test_gate_alone_judges_a_version_on_the_set(run, pcc_job, result_of, tmp_path):
    """Floors and the comparison apply; the result contains no text of the set."""
    challenge = make_rows(90, 1)
    good = result_of(run(challenge))["version"]
    bad = result_of(run(None, "search.estimators={dummy: {}}", "publish.channel=null"))["version"]
    words = ("evaluation.challenge_uri=challenge.parquet", "gate.challenge_floors.accuracy=0.5")
    words = (*SETTINGS, *words, "gate.recall_margin=null", "gate.margin=1.0")
    values = [word for value in words for word in ("--set", value)]
    options = ("--dataset", "table.parquet", "--store", "models", *values)
    rejected = pcc_job("gate", bad, good, *options)
    accepted = result_of(pcc_job("gate", good, bad, *options))
    failed = [c["name"] for c in json.loads(rejected.stdout)["gate"]["criteria"] if not c["is_met"]]

    assert 6 == rejected.returncode
    assert ["challenge_accuracy", "challenge_champion"] == failed
    assert accepted["gate"]["is_accepted"]
    assert accepted["challenge_scores"]["accuracy"] > 0.5


def test_no_word_of_a_request_reaches_an_output(run, tmp_path):
    """This covers logs and all files of the store."""
    challenge = make_rows(60, 1)
    challenge["text"] += [f" zqcanary{n}x" for n in range(60)]
    done = run(challenge, "features.use=[text, embeddings]", "logs.level=debug")
    files = [path for path in (tmp_path / "models").rglob("*") if path.is_file()]

    assert 0 == done.returncode, done.stderr
    assert len(files) > 8
    assert "zqcanary" not in done.stdout + done.stderr
    assert [] == [path.name for path in files if b"zqcanary" in path.read_bytes()]
