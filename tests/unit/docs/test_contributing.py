"""The code in CONTRIBUTING.md works, and the paths that the page names exist."""

import __future__

import ast
import json
import re
from pathlib import Path
from textwrap import dedent, indent
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from support.simulated import predictions

from job.contracts import metric_kinds, metrics
from job.contracts.reports import evaluation, scores
from job.contracts.settings import publish
from job.contracts.settings.search import SearchSpec
from job.stages.evaluation.evaluate import evaluate_predictions
from job.stages.training import estimators

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "CONTRIBUTING.md").read_text()
BLOCK = re.compile(r"^ *<!-- ([a-z ]+) -->\n *```python\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
BLOCKS = {name: dedent(code) for name, code in BLOCK.findall(PAGE)}


def run(name, **names):
    """Run a block of the page; return the names that it defines."""
    defined = {"__name__": "contributing", **names}
    flags = __future__.annotations.compiler_flag  # as the modules that the blocks belong to
    exec(compile(BLOCKS[name], f"CONTRIBUTING.md: {name}", "exec", flags), defined)
    return defined


def read_kind(name, **names):
    """Return the value of a block that is an item of a table."""
    return eval(BLOCKS[name], names)


def test_metric_and_its_test(monkeypatch):
    """The test of the page passes with the metric, and fails without it."""
    metric = read_kind("metric", **vars(metric_kinds))
    run_test = run(
        "metric test", predictions=predictions, evaluate_predictions=evaluate_predictions
    )
    test = run_test[f"test_{metric.name}_is_the_lowest_recall_of_a_class"]
    with pytest.raises(KeyError):
        test()
    monkeypatch.setitem(metrics.METRICS, metric.name, metric)

    test()
    assert metric.name in metrics.list_choosable()


def test_section_of_new_numbers(monkeypatch):
    """Its type, field, stage and section fit together."""
    part = run("section part", **vars(scores))["ConfidenceLevels"]
    monkeypatch.setattr(scores, "ConfidenceLevels", part, raising=False)
    field = indent(BLOCKS["section field"], "    ")
    names = {**vars(evaluation), "ConfidenceLevels": part}
    exec(f"class Extended(PredictionScores):\n{field}", names)
    predicted = predictions(y_true=[0, 0, 1], y_pred=[0, 0, 0])
    measured = run("section stage")["measure_confidence_levels"](predicted)
    fields = evaluate_predictions(predicted).fields()
    section = run("section")["SECTION"]

    assert {"right": 1.0, "wrong": 1.0} == measured.to_json()
    extended = names["Extended"](**fields, confidence_levels=measured)
    assert measured == extended.confidence_levels
    assert None is names["Extended"](**fields).confidence_levels
    assert {"levels": measured} == section.values({}, extended)
    assert None is section.values({}, SimpleNamespace(confidence_levels=None))


def test_estimator():
    load = run("estimator loader", **vars(estimators))["_load_ridge"]
    kind = read_kind("estimator", **{**vars(estimators), "_load_ridge": load})

    assert 3.0 == kind.build({"alpha": 3.0}, SearchSpec(), 0).alpha


def test_model_format():
    """Equal models give equal bytes."""
    codec = run("codec")["ModelStepsCodec"]()
    X, y = np.eye(4), ["a", "a", "b", "b"]
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    content = json.loads(codec.encode(model))

    assert {"classes": ["a", "b"], "steps": ["standardscaler", "logisticregression"]} == content


def test_setting():
    field = indent(BLOCKS["setting"], "    ")
    names = dict(vars(publish))
    exec(f"class Extended(PublishSpec):\n{field}", names)

    assert "Privacy" == names["Extended"](contact="Privacy").contact
    assert names["Extended"].model_fields["contact"].description


def test_every_block_is_python():
    """A block without a marker is read as well."""
    codes = re.findall(r"^ *```python\n(.*?)^ *```", PAGE, re.MULTILINE | re.DOTALL)

    assert len(codes) == len(BLOCKS) + 1
    for code in codes:
        ast.parse(dedent(code))


def test_paths_exist():
    """Files and folders in code, also those of the commands; links have tests of their own."""
    page = re.sub(r"\]\([^)]+\)", "]", PAGE)
    page = re.sub(r"\[[^]\n]*\]", "", page)
    roots = "|".join(sorted(p.name.replace(".", r"\.") for p in ROOT.iterdir() if p.is_dir()))
    named = set(re.findall(rf"(?<![\w./$-])(?:{roots})/[\w./*-]*[\w*]", page))
    missing = {name for name in named if not list(ROOT.glob(name))}

    assert len(named) > 30
    assert set() == {name for name in missing if not name.startswith((".venv", "build"))}
