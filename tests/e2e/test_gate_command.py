"""The gate in a real process: as a command, and overridden in a run."""

import json

from support.schemas import check

WORSE = "search.estimators={logistic_regression: {C: [0.0001]}}"


def test_rejection_is_6_and_its_reason_names_metric_difference_and_interval(
    train, result_of, sample
):
    result_of(train(sample))
    done = train(sample, "--set", WORSE, "--set", "gate.margin=0.02")

    reason = json.loads(done.stderr.splitlines()[-1])["reason"]
    assert done.returncode == 6
    assert all(word in reason for word in ("f1_macro", "difference -0.", "90% interval -0."))


def test_override_publishes_and_its_reason_stays_for_ever(
    train, pcc_job, result_of, sample, tmp_path
):
    """Metadata, evaluation, history, record and log contain it; the gate still rejects."""
    result_of(train(sample))
    done = train(
        sample, "--set", WORSE, "--set", "gate.margin=0.02", "--run-id", "o", "--override", "agreed"
    )
    result = result_of(done)

    version = tmp_path / "models" / result["version"]
    metadata = json.loads((version / "metadata.json").read_text())
    gate = json.loads((version / "evaluation.json").read_text())["gate"]
    record = json.loads((tmp_path / "models/runs/o/1.json").read_text())
    history = result_of(pcc_job("models", "history", "--store", "models"))["moves"]
    assert "agreed" == metadata["override"]["reason"] == record["override"] == result["override"]
    assert any("f1_macro" in reason for reason in metadata["override"]["rejected_for"])
    assert ("agreed", False) == (gate["override"], gate["is_accepted"])
    assert (result["version"], "against the gate: agreed") == (
        history[-1]["to"],
        history[-1]["why"],
    )
    assert '"gate_overridden"' in done.stderr


def test_override_that_was_not_needed_leaves_no_trace(train, result_of, sample, tmp_path):
    result = result_of(train(sample, "--override", "just in case"))

    version = tmp_path / "models" / result["version"]
    assert json.loads((version / "metadata.json").read_text())["override"] is None
    assert "override" not in result


def test_override_says_something_and_publishes(train, sample):
    """An empty reason is invalid, and a dry run has nothing to publish."""
    assert 2 == train(sample, "--override", "  ").returncode
    assert 2 == train(sample, "--override", "agreed", "--dry-run").returncode


def test_gate_alone_judges_two_versions_and_writes_nothing(
    train, pcc_job, result_of, sample, tmp_path
):
    good = result_of(train(sample))["version"]
    bad = result_of(
        train(sample, "--set", WORSE, "--set", "gate.margin=1.0", "--set", "gate.recall_margin=1.0")
    )["version"]
    files = sorted(tmp_path.glob("models/**/*"))
    options = ("--dataset", sample, "--store", "models", "--set", "dataset.min_rows=100")
    options += ("--set", "gate.floors={accuracy: 0.5}", "--set", "gate.margin=0.05")
    rejected = pcc_job("gate", bad, good, *options)
    accepted = result_of(pcc_job("gate", good, bad, *options))

    result = json.loads(rejected.stdout)
    check("gate_result", rejected.stdout)
    assert rejected.returncode == 6
    assert result["gate"]["comparisons"][0]["difference"]["upper"] < -0.05
    assert accepted["gate"]["is_accepted"]
    assert 0 < accepted["n_judged"] == accepted["n_rows"] - accepted["n_trained_on"]
    assert files == sorted(tmp_path.glob("models/**/*"))

    lines = pcc_job("gate", bad, good, *options, "--output", "table").stdout.splitlines()
    criteria = [line for line in lines if line.startswith(("met ", "not met ", "warns "))]
    assert f"{bad} compared with {good}: rejected" == lines[0]
    assert len(criteria) == len(result["gate"]["criteria"])
    assert any(line.split()[:3] == ["not", "met", "champion"] for line in criteria)


def test_anchor_stops_what_the_champion_lets_pass(train, pcc_job, result_of, sample):
    """An anchor that does not exist is an error before the rows are read."""
    result_of(train(sample))
    result_of(pcc_job("models", "promote", "latest", "--channel", "anchor", "--store", "models"))
    loose = ("--set", WORSE, "--set", "publish.channel=other", "--set", "gate.margin=0.02")
    done = train(sample, *loose, "--set", "gate.anchor=anchor")
    absent = train(sample, "--set", "gate.anchor=nowhere")

    reason = json.loads(done.stderr.splitlines()[-1])["reason"]
    assert 6 == done.returncode
    assert ", the recipe of anchor v" in reason
    assert (2, True) == (absent.returncode, "gate.anchor 'nowhere'" in absent.stderr)
