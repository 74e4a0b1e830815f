"""A headless Chromium without network access, and monitored pages in it."""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Error, sync_playwright
from support.requirements import skip_without

SCREENSHOTS = Path(__file__).parents[2] / "build/screenshots"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class Watched:
    """An open report; `complaints` contains the messages of the console and failed requests."""

    def __init__(self, page, path):
        self.page, self.complaints = page, []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: (self.complaints.append("dialog"), dialog.dismiss()))
        page.on("request", lambda request: self._note(request.url, path))
        page.goto(path.as_uri())

    def _note(self, url, path):
        if url != path.as_uri():
            self.complaints.append(url)

    def keep(self, name, **options):
        """Save a screenshot for people to look at."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", **options)


@pytest.fixture(scope="session")
def chromium():
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        skip_without("browser", "there is no chromium here")
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        except Error as error:
            skip_without("browser", f"chromium does not start: {error.message.splitlines()[0]}")
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium):
    """Open a file in its own browser context: `opened(path, width, height, **context)`."""
    contexts = []

    def opens(path, width=1280, height=800, **options):
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        return Watched(context.new_page(), path)

    yield opens
    for context in contexts:
        context.close()
