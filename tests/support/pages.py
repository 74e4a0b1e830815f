"""Parse a report: its elements, its visible text, and its numbers."""

import re
from html.parser import HTMLParser

from job.adapters.rendering.renderer import ReportRenderer
from job.contracts.identity import canonical_json
from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.metadata import Metadata

QUIET = ("script", "style")


class Reader(HTMLParser):
    """Collects elements with their attributes, and the visible text except axis ticks."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.words, self._skip = [], [], False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.elements.append((tag, attributes))
        self._skip = tag in QUIET or "tick" in (attributes.get("class") or "")

    def handle_endtag(self, tag):
        self._skip = False

    def handle_data(self, data):
        if not self._skip:
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def parse(evaluation):
    """Return the evaluation as parsed from its published bytes."""
    return Evaluation.parse(canonical_json(evaluation))


def draw(metadata, evaluation):
    files = ReportRenderer().render(Metadata.model_validate(metadata), parse(evaluation))
    return {name: data.decode() for name, data in files.items()}


def collect_numbers(content):
    """Return all numbers in a JSON value, including numbers in texts."""
    if isinstance(content, dict):
        return collect_numbers([*content.values(), *content])
    if isinstance(content, list):
        return {n for item in content for n in collect_numbers(item)}
    if isinstance(content, str):
        return {float(n) for n in re.findall(r"\d+(?:\.\d+)?(?:e[-+]?\d+)?", content)}
    return {abs(float(content))} if isinstance(content, (int, float)) else set()


def numbers_shown(report):
    """Return the visible numbers, except those in names and digests."""
    names = r"sha256:\w+|\b[0-9a-f]{32,40}\b|v\d{8}_\w+|\b(?:F1|p50|p95)\b|\w+_\w+"
    words = re.sub(names, "", Reader(report).text)
    return re.findall(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?", words)


def find_unknown_numbers(metadata, evaluation):
    """Return the numbers of the page that are not numbers of the files, exact or rounded."""
    known = collect_numbers([metadata, evaluation])
    known |= {100 * value for value in known if value <= 1}
    known |= {n / 10 for n in range(11)}  # ends of the lines that dots are on
    others = [key for key in evaluation["changes"]["changed"] if not key.startswith("metrics.")]
    known.add(len(others))
    shown = numbers_shown(draw(metadata, evaluation)["report.html"])
    return [n for n in shown if not is_rounded(n.replace(",", ""), known)]


def is_rounded(text, known):
    digits = len(text.partition(".")[2].partition("e")[0])
    return any(round(n, digits) == float(text) for n in known)
