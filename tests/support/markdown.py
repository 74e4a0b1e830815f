"""The committed Markdown pages, and the marked blocks in them."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def read_block(page, marker, language):
    """Return the code between `<!-- marker -->` and `<!-- /marker -->` of a page."""
    text = (ROOT / page).read_text()
    found = re.search(
        rf"<!-- {marker} -->\n```{language}\n(.*?)```\n<!-- /{marker} -->", text, re.DOTALL
    )
    assert found, f"{page} has no block {marker}"
    return found[1]


def committed_pages():
    """Return the Markdown pages of the repository, without those that runs and tools leave."""
    folders = ("benchmarks", "charts", "docker", "docs", "examples", "expectations", "tests")
    below = (page for folder in folders for page in (ROOT / folder).rglob("*.md"))
    return sorted((*ROOT.glob("*.md"), *below))


def without_code(text):
    """Return a page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
