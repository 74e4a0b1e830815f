"""The committed Markdown pages, and the marked blocks in them."""

import re
import subprocess
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
    """Return the Markdown files that git knows, or that it would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return sorted(ROOT / name for name in done.stdout.splitlines() if (ROOT / name).exists())


def without_code(text):
    """Return a page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
