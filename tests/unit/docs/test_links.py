"""Links between the Markdown pages lead to a file, and to a heading of it."""

import re
import unicodedata

import pytest
from support.markdown import ROOT, committed_pages, without_code

PAGES = committed_pages()


def links(text):
    """Return the relative targets of links and pictures, outside of code."""
    prose = re.sub(r"`[^`\n]*`", "", without_code(text))
    targets = re.findall(r"\]\(([^()\s]+)\)", prose)
    return [t for t in targets if not re.match(r"[a-z][a-z0-9+.-]*:", t)]


def anchors(page):
    """Return the anchors that a forge makes of the headings of a page."""
    found = []
    for heading in re.findall(r"^#+ +(.+)$", without_code(page.read_text()), re.MULTILINE):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        kept = "".join(c for c in text if c in " -_" or unicodedata.category(c)[0] in "LN")
        anchor = kept.replace(" ", "-")
        found.append(anchor if anchor not in found else f"{anchor}-{found.count(anchor)}")
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_resolve(page):
    """Links to a page that moves are updated."""
    broken = []
    for target in links(page.read_text()):
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        is_markdown = file.suffix == ".md" and file.is_file()
        if not file.exists() or (anchor and is_markdown and anchor not in anchors(file)):
            broken.append(target)

    assert [] == broken


def test_there_are_pages_and_links():
    """The tests above find pages, links and anchors."""
    assert ROOT / "docs/README.md" in PAGES
    assert "docs/settings.md" in links((ROOT / "README.md").read_text())
    assert "where-settings-come-from" in anchors(ROOT / "docs/settings.md")


def test_readme_stays_short():
    """Details belong to the pages below docs."""
    assert len((ROOT / "README.md").read_text().splitlines()) <= 120


def test_each_page_of_docs_is_in_the_index():
    """Readers find a page by the reading paths."""
    index = ROOT / "docs/README.md"
    named = {
        (index.parent / target.partition("#")[0]).resolve() for target in links(index.read_text())
    }
    pages = {page for page in PAGES if page.parent == index.parent and page != index}

    assert set() == pages - named


def test_pictures_are_small():
    """Every clone of the repository contains them, with each of their versions."""
    pictures = list((ROOT / "docs/images").iterdir())

    assert pictures
    assert [] == [p.name for p in pictures if p.stat().st_size > 300_000]
