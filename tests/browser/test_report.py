"""The report in a browser: from a file, without a network, on a screen and on paper."""

import json

import pytest
from axe_playwright_python.sync_playwright import Axe
from support.pages import parse
from support.reports import HOSTILE, add_intervals, make_reports

from job.adapters.rendering.renderer import ReportRenderer
from job.contracts.reports.metadata import Metadata

DESKTOP, PHONE = (1280, 800), (390, 844)
SERIOUS = ("serious", "critical")


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """Write the pages of models with 2, 4 and 77 classes, a rejected one, and hostile names."""
    folder = tmp_path_factory.mktemp("reports")
    wanted = {
        "2": make_reports(2),
        "4": make_reports(4),
        "77": make_reports(77),
        "rejected": make_reports(4, is_accepted=False),
        "hostile": make_reports(names=HOSTILE),
    }
    for name, (metadata, evaluation) in wanted.items():
        if name == "hostile":
            metadata = {**metadata, "limitations": list(HOSTILE), "run_id": HOSTILE[1]}
            metadata["settings"] = {**metadata["settings"], HOSTILE[0]: HOSTILE[5]}
        files = ReportRenderer().render(
            Metadata.model_validate(metadata), parse(add_intervals(evaluation))
        )
        for file, data in files.items():
            path = folder / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    return folder


def report(written, name):
    return written / name / "report.html"


def is_in_view(page, text):
    box = page.get_by_text(text).first.bounding_box()
    size = page.viewport_size
    return box["y"] >= 0 and box["y"] + box["height"] <= size["height"] and box["x"] >= 0


@pytest.mark.parametrize("name", ["2", "4", "77", "rejected"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_verdict_is_seen_at_once(written, opened, name, size):
    """Nothing is wider than the window."""
    watched = opened(report(written, name), *size)
    watched.keep(f"{name}-{'desktop' if size == DESKTOP else 'phone'}", full_page=True)
    verdict = "Rejected by the gate" if name == "rejected" else "Accepted by the gate"

    assert is_in_view(watched.page, verdict)
    assert is_in_view(watched.page, "F1, macro")
    assert size[0] >= watched.page.evaluate("document.documentElement.scrollWidth")
    assert [] == watched.complaints


@pytest.mark.parametrize(
    ("name", "scheme"),
    [("2", "light"), ("4", "dark"), ("77", "light"), ("rejected", "dark"), ("hostile", "light")],
)
def test_nothing_serious_is_wrong_for_those_who_see_or_point_otherwise(
    written, opened, name, scheme
):
    """axe-core checks names, contrast, headings, tables and scrolling by keyboard."""
    watched = opened(report(written, name), color_scheme=scheme)
    if scheme == "dark":
        watched.keep(f"{name}-dark")
    watched.page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    found = Axe().run(watched.page).response["violations"]

    assert [] == [(v["id"], v["nodes"][0]["html"]) for v in found if v["impact"] in SERIOUS]


def test_hostile_names_do_nothing(written, opened):
    """They cause no dialog, no request, no error, and no foreign element."""
    watched = opened(report(written, "hostile"))
    page = watched.page
    page.mouse.move(400, 400)
    for button in page.locator("th button").all():
        button.click()

    assert [] == watched.complaints
    assert 1 == page.locator("script").count()
    assert 0 == page.locator("img, iframe, object, [onload], [onerror], [onmouseover]").count()


def test_hostile_figures_do_nothing(written, opened):
    """A separate SVG file is a document as well."""
    for path in sorted((written / "hostile/figures").iterdir()):
        watched = opened(path)
        assert [] == watched.complaints
        assert 0 == watched.page.evaluate("document.querySelectorAll('script, image').length")


def test_policy_stops_a_script_that_got_in(written, opened):
    """The policy is the second line of defense if an escape is forgotten."""
    text = report(written, "4").read_text()
    path = written / "4/broken.html"
    attack = "<script>document.title = 'hit'</script><img src=x onerror=\"document.title='hit'\">"
    path.write_text(text.replace("<main", f"{attack}<main"))
    watched = opened(path)

    assert "hit" != watched.page.title()
    assert any("Content Security Policy" in said for said in watched.complaints)


def test_table_of_classes_sorts_by_key_and_tells_so(written, opened):
    """It sorts as numbers, in both directions; screen readers announce it."""
    page = opened(report(written, "77")).page
    head = page.locator("#classes th", has_text="Precision").first
    head.get_by_role("button").press("Enter")
    first = [float(t) for t in page.locator("#classes tbody td:nth-child(5)").all_inner_texts()]
    told = head.get_attribute("aria-sort")
    head.get_by_role("button").press("Enter")
    second = [float(t) for t in page.locator("#classes tbody td:nth-child(5)").all_inner_texts()]

    assert (sorted(first, reverse=True), "descending") == (first, told)
    assert (sorted(first), "ascending") == (second, head.get_attribute("aria-sort"))


def test_page_works_without_script(written, opened):
    """Everything is visible, and no control is shown that does not work."""
    page = opened(report(written, "77"), java_script_enabled=False).page

    assert 77 == page.locator("#classes tbody tr").count()
    assert 0 == page.locator("button").count()


def test_keyboard_comes_first_to_the_way_past_the_head(written, opened):
    """Every region that scrolls can receive the focus."""
    page = opened(report(written, "4")).page
    page.keyboard.press("Tab")
    skipped = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")

    assert "Skip to the report" == skipped
    assert "report" == page.evaluate("document.activeElement.id")
    assert page.locator(".scroll").count() == page.locator(".scroll[tabindex='0']").count()


def test_matrix_of_77_classes_keeps_its_names_in_sight(written, opened):
    """This holds however far the reader scrolls."""
    watched = opened(report(written, "77"))
    matrix = watched.page.locator(".matrix")
    matrix.scroll_into_view_if_needed()
    matrix.evaluate("box => box.scrollTo(700, 900)")
    frame = matrix.bounding_box()
    row = watched.page.locator(".matrix tbody th").nth(40).bounding_box()
    column = watched.page.locator(".matrix thead th").nth(30).bounding_box()
    watched.keep("77-matrix")

    assert abs(row["x"] - frame["x"]) < 3
    assert abs(column["y"] - frame["y"]) < 3


@pytest.mark.parametrize("name", ["4", "77"])
def test_paper_holds_what_the_screen_holds(written, opened, name):
    """Nothing is cut off at the side, with any color scheme of the screen."""
    page = opened(report(written, name), 718, 1000, color_scheme="dark").page
    page.emulate_media(media="print")
    widest = page.evaluate(
        "Math.max(...[...document.querySelectorAll('table')].map(t => t.getBoundingClientRect().right))"
    )
    pdf = page.pdf(format="A4")

    assert widest <= 718
    assert pdf.startswith(b"%PDF")
    assert "rgb(255, 255, 255)" == page.evaluate("getComputedStyle(document.body).backgroundColor")


def test_report_of_a_real_run_opens(train, result_of, sample, opened, tmp_path):
    """The second run is compared with a champion."""
    result_of(train(sample))
    result = result_of(train(sample, "--set", "random_state=7", "--set", "gate.margin=1"))
    folder = tmp_path / "models" / result["version"]
    watched = opened(folder / "report.html")
    watched.keep("real")
    evaluation = json.loads((folder / "evaluation.json").read_text())

    assert [] == watched.complaints
    assert watched.page.get_by_role("heading", name="Differences from the champion").is_visible()
    assert f"{evaluation['scores']['accuracy']:.4f}" in watched.page.inner_text(".numbers")
