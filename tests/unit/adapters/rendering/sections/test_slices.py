"""The section of slices: the worst first, and nothing of what is pooled."""

import json

import numpy as np
import pandas as pd
import pytest
from support.datasets import table_of
from support.pages import draw
from support.reports import HOSTILE, make_reports
from support.simulated import bootstrap_of, predictions

from job.contracts.dataset import Column
from job.contracts.metrics import METRICS
from job.contracts.reports.slices import SliceReport
from job.contracts.settings.evaluation import EvaluationSpec
from job.stages.data.slices import DisclosureRule, make_slices
from job.stages.evaluation.slice_scores import score_slices

N = 600
CANARY = "zq-canary-4711"


def make_page(names, **columns):
    """Return evaluation.json and report.html of a table with these columns, as a run makes them."""
    made = tuple(
        Column(name=name, role="categorical", kind="string", values=np.array(values, dtype=object))
        for name, values in columns.items()
    )
    dataset = table_of(made)
    rule = DisclosureRule(min_rows=30, min_groups=5)
    frame = make_slices(dataset, np.arange(N), np.arange(N), list(columns), rule)
    y = np.arange(N) % 4
    is_wrong = np.array(names == np.unique(names)[0]) & (np.arange(N) % 7 < 3)
    found = predictions(y, np.where(is_wrong, (y + 1) % 4, y))
    spec = EvaluationSpec(resamples=1000)
    bootstrap = bootstrap_of(found, np.arange(N), spec)
    slices = score_slices(found, bootstrap, frame, METRICS["f1_macro"], min_rows=30).to_json()
    metadata, evaluation = make_reports()
    evaluation["slices"] = slices
    return slices, draw(metadata, evaluation)["report.html"]


@pytest.fixture(scope="module")
def page():
    names = np.array(["app", "web", "mail"])[np.arange(N) // 4 % 3]
    rare = names.astype(object)
    rare[::20] = [f"{CANARY}-{n}" for n in range(N // 20)]
    ids = [f"{CANARY}-id-{n}" for n in range(N)]
    return make_page(names, channel=rare, ticket=ids, same=["x"] * N)


def test_values_that_few_rows_hold_are_pooled(page):
    """They are counted as one slice, and stand nowhere."""
    slices, html = page

    assert {"app", "web", "mail", "(other)"} == {s["value"] for s in slices["scores"]}
    assert (0, 0) == (html.count(CANARY), json.dumps(slices).count(CANARY))


def test_column_of_ids_is_no_slice(page):
    """All its values are pooled: nothing is left to compare."""
    assert ["ticket", "same"] == page[0]["single_valued"]


def test_worst_slice_comes_first_and_is_named(page):
    """Before the table, and in it."""
    slices, html = page
    section = html[html.index('id="slices"') :]

    assert "app" == slices["scores"][0]["value"]
    assert "<strong>channel: app</strong>" in section
    assert section.index("</strong>.") < section.index("<table")
    first = section[section.index("<tbody>") :]
    assert first.index("channel: app") < first.index("channel: web")


def test_part_is_that_of_the_schema(page):
    """What is published is what was promised."""
    assert page[0] == SliceReport.model_validate(page[0]).model_dump(mode="json")


def test_slices_that_are_not_shown_are_counted():
    """And why."""
    names = np.where(np.arange(N) < 31, "few", "many")
    _, html = make_page(names, channel=["few"] * 31 + ["fewer"] * 10 + ["many"] * (N - 41))

    assert "Slices that are not shown: 1." in " ".join(html.split())


def test_hostile_names_of_slices_are_inert():
    """They are words, as names of classes are."""
    names = np.array(HOSTILE[:4])[np.arange(N) // 4 % 4]
    _, html = make_page(names, **{HOSTILE[0]: names, HOSTILE[5]: names[::-1]})

    assert "<img" not in html and "<svg onload" not in html and 1 == html.count("<script")


def test_page_without_slices_has_no_section():
    """As where `evaluation.slices` is empty."""
    metadata, evaluation = make_reports()
    html = draw(metadata, {**evaluation, "slices": None})["report.html"]

    assert 'id="slices"' not in html


def test_frame_of_slices_goes_where_rows_go():
    """Taken by positions and by masks alike."""
    frame = pd.DataFrame({"x": pd.Categorical(["a", "b", "a"])})
    from job.contracts.dataset import Rows

    keys = np.array(["1", "2", "3"], dtype=object)
    rows = Rows(
        y=keys,
        leakage_keys=keys,
        text_keys=keys,
        text=None,
        embeddings=None,
        frame=frame,
        slices=frame,
    )

    assert ["a", "b"] == rows.take(np.array([2, 1])).slices["x"].tolist()
    assert ["b"] == rows.take(np.array([False, True, False])).slices["x"].tolist()
