"""The complete job in a real process, with a real folder."""

import hashlib
import json
import signal
import subprocess
import sys
import time

import joblib
import numpy as np
from support.forged_versions import make_earlier_release
from support.settings import ENDLESS

from job.contracts.identity import canonical_json
from job.contracts.lineage_key import KEY_VARIABLE

# less to wait for, where only the model is compared
MODEL_ALONE = ("search.folds=2", "evaluation={method: holdout, label_noise: false, slices: []}")


def test_accepted_model_is_published_verified_and_loadable(
    train_cold, pcc_job, result_of, sample, table, tmp_path
):
    result = result_of(train_cold(sample))

    version = tmp_path / "models" / result["version"]
    manifest = json.loads((version / "manifest.json").read_text())
    for entry in manifest["files"]:
        data = (version / entry["name"]).read_bytes()
        assert entry["digest"] == "sha256:" + hashlib.sha256(data).hexdigest()
    names = {entry["name"] for entry in manifest["files"]}
    assert {
        "model.joblib",
        "metadata.json",
        "evaluation.json",
        "validation.json",
        "model_card.md",
        "report.html",
    } <= names
    assert "<svg" in (version / "report.html").read_text()
    X = np.array(table["embeddings"].to_pylist()[:5])
    proba = joblib.load(version / "model.joblib").predict_proba(X)
    assert proba.shape == (5, 4)
    assert json.loads(pcc_job("models", "verify", "latest", "--store", tmp_path / "models").stdout)[
        "is_intact"
    ]
    fetched = result_of(pcc_job("models", "fetch", "production", "out", "--store", "models"))
    assert (tmp_path / fetched["path"] / "manifest.json").exists()
    (version / "model.joblib").write_bytes(b"changed")
    assert pcc_job("models", "verify", "latest", "--store", "models").returncode == 8


def test_model_loads_without_this_package(train, result_of, sample, tmp_path):
    result = result_of(train(sample))

    code = (
        "import sys; sys.modules['job'] = None; import joblib; "
        f"print(joblib.load('models/{result['version']}/model.joblib').classes_.tolist())"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout.strip() == "['data_deletion', 'opt_out', 'other', 'privacy_request']"


def test_same_run_id_is_idempotent_and_refuses_other_settings(train, result_of, sample):
    first = result_of(train(sample, "--run-id", "night-1"))
    second = result_of(train(sample, "--run-id", "night-1"))
    other = train(sample, "--run-id", "night-1", "--set", "random_state=7")

    assert (first["outcome"], second["outcome"]) == ("published", "already_published")
    assert first["version"] == second["version"]
    assert other.returncode == 2


def test_rejected_candidate_leaves_a_report_and_no_version(train, sample, tmp_path):
    done = train(sample, "--run-id", "r1", "--set", "gate.floors.accuracy=1.0")

    assert done.returncode == 6
    assert json.loads(done.stdout)["outcome"] == "rejected"
    assert not list((tmp_path / "models").glob("v*"))
    assert (tmp_path / "models/runs/r1/1/report.html").exists()
    record = json.loads((tmp_path / "models/runs/r1/1.json").read_text())
    assert (record["outcome"], record["exit_code"]) == ("rejected", 6)


def test_every_stage_has_its_seconds(train, result_of, sample):
    """The result shows where time was spent; the optimism check is not part of the split's time."""
    stages = result_of(train(sample, "--dry-run"))["stages"]
    held = result_of(train(sample, "--dry-run", "--set", "evaluation.method=holdout"))["stages"]
    before = {"loading", "ingest", "validate", "split", "lineage", "optimism", "drift"}
    before |= {"geometry", "search"}
    after = {"train", "evaluate", "out_of_scope", "wording", "stress", "labels", "gate", "package"}
    after |= {"plain_form"}

    assert before | after | {"cross_fit"} == set(stages)
    assert before | after | {"out_of_fold"} == set(held)


def test_dry_run_publishes_nothing(train, result_of, sample, tmp_path):
    assert result_of(train(sample, "--dry-run"))["outcome"] == "dry_run"
    assert not list((tmp_path / "models").glob("v*"))
    assert not (tmp_path / "models/channels").exists()


def test_bytes_repeat_across_processes_and_formats(
    train, train_cold, result_of, sample, table, tmp_path
):
    """Same rows, settings, seed and key give the same model and lineage, for embeddings and text.

    Whatever the format, the workers, and where the matrices lie; the logistic regression of the
    fast engine, and whatever wins.
    """
    csv = tmp_path / "curated.csv"
    frame = table.to_pandas()
    frame["embeddings"] = [json.dumps(list(row)) for row in frame["embeddings"]]
    frame.to_csv(csv, index=False)
    only, key = ["--set", "search.estimators={logistic_regression: {}}"], {KEY_VARIABLE: "ab" * 32}
    # a process that is forked hashes by the seed of the one that it comes from
    ways = ((train, {}, sample, "1", "0"), (train_cold, {"PYTHONHASHSEED": "2"}, csv, "2", "null"))
    for feature_blocks, more in (
        ("[embeddings]", only),
        ("[text]", only),
        ("[text, numeric, boolean]", []),
    ):
        digests = set()
        for n, (start, environment, path, workers, max_memory) in enumerate(ways):
            store = tmp_path / f"store-{feature_blocks}-{n}"
            how = [f"search.workers={workers}", f"search.max_memory={max_memory}", *MODEL_ALONE]
            flags = [
                flag
                for item in (*how, f"features.use={feature_blocks}")
                for flag in ("--set", item)
            ]
            result = result_of(start(path, *flags, *more, store=store, **environment, **key))
            version = result["version"]
            names = (f"{version}/model.joblib", f"lineage/{version}.npy")
            files = [(store / name).read_bytes() for name in names]
            # a CSV does not say what its embeddings come from
            profile = json.loads((store / f"lineage/{version}.profile.json").read_text())
            files.append(canonical_json({**profile, "embedding_model": ""}))
            content = tuple(hashlib.sha256(data).hexdigest() for data in files)
            digests.add((result["dataset"]["content_digest"], *content))
        assert len(digests) == 1


def test_bytes_repeat_across_formats_where_strings_are_of_other_types(
    train, result_of, table, tmp_path
):
    """Booleans as labels, and integers with gaps as categories and keys, give the same model."""
    frame = table.drop_columns(["embeddings"]).to_pandas()
    frame["intent"] = frame["intent"].isin(["other", "opt_out"])
    frame["plan"] = (frame["text_length"] % 3).where(frame["text_length"] % 5 > 0)
    frame["client"] = (frame.index // 3 * 1.0).where(frame.index % 7 > 0)
    frame.to_parquet(tmp_path / "t.parquet")
    frame.to_csv(tmp_path / "t.csv", index=False)
    columns = "{target: intent, embeddings: null, categorical: [plan], group: client}"
    digests, classes = set(), []
    for name in ("t.parquet", "t.csv"):
        store = tmp_path / name.replace(".", "-")
        settings = (f"dataset.columns={columns}", "features.use=[text, categorical]")
        flags = [flag for item in settings for flag in ("--set", item)]
        suite = ["--set", "expectations.suite=labelled_text"]
        result = result_of(train(tmp_path / name, *flags, *suite, store=store))
        version = store / result["version"]
        model = hashlib.sha256((version / "model.joblib").read_bytes()).hexdigest()
        digests.add((result["dataset"]["content_digest"], model))
        classes.append(json.loads((version / "metadata.json").read_text())["classes"])

    assert [["false", "true"]] * 2 == classes
    assert 1 == len(digests)


def test_second_run_is_compared_with_the_champion(train, result_of, sample, tmp_path):
    result_of(train(sample))
    second = result_of(train(sample, "--set", "random_state=1"))

    evaluation = json.loads(
        (tmp_path / "models" / second["version"] / "evaluation.json").read_text()
    )
    champion = next(c for c in evaluation["gate"]["criteria"] if c["name"] == "champion")
    assert champion["is_met"]
    assert champion["value"] is not None


def test_champion_without_a_plain_form_is_the_gates_business(train, sample, tmp_path):
    """After an upgrade, runs are rejected or warn, depending on the settings; nothing is damaged.

    What the champion's run kept of its groups can be compared without the model.
    """
    version = tmp_path / "models" / json.loads(train(sample).stdout)["version"]
    make_earlier_release(version)
    by_holdout = ("--set", "evaluation.method=holdout")
    rejected = train(sample, *by_holdout)
    warned = train(sample, *by_holdout, "--set", "gate.incomparable_champion=warn", "--dry-run")
    by_groups = train(sample, "--dry-run")

    assert (6, 0) == (rejected.returncode, warned.returncode), rejected.stderr
    assert 0 == by_groups.returncode, by_groups.stderr
    assert f"champion {version.name} cannot be compared: an earlier release" in rejected.stderr


def test_sigterm_ends_a_run_within_two_seconds(sample, tmp_path):
    """This holds even while native code runs; nothing half-written becomes visible."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "job",
            "run",
            "--dataset",
            sample,
            "--store",
            tmp_path / "m",
            "--run-id",
            "ended",
            "--set",
            "dataset.min_rows=100",
            "--set",
            ENDLESS,
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stderr:
        if "dataset_split" in line:
            break
    time.sleep(2)  # by now liblinear iterates, for minutes
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    code = process.wait(20)

    assert code == 143
    assert time.monotonic() - started < 2
    assert not list((tmp_path / "m").glob("v*"))
    record = json.loads((tmp_path / "m/runs/ended/1.json").read_text())
    assert (record["exit_code"], record["failed_stage"]) == (143, "search")
