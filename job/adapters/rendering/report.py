"""Write report.html: the gate's verdict, then each section whose numbers are available."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources

import jinja2
from markupsafe import Markup

from job.adapters.rendering import formatting as words
from job.adapters.rendering.escaping import breakable, finalize
from job.adapters.rendering.sections import list_sections
from job.adapters.rendering.sections.verdict import describe_model, head_of_page
from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.metadata import Metadata
from job.contracts.reports.validation import ValidationReport


def render_report(
    metadata: Metadata, evaluation: Evaluation, validation: ValidationReport | None = None
) -> str:
    """Return the HTML page; its content security policy forbids loading anything.

    Without the validation, as for an incomplete folder, the page has no section on expectations.
    """
    environment = make_environment()
    css, script = Markup(read_template("page.css")), Markup(read_template("page.js"))  # noqa: S704
    sections = []
    for section in list_sections(validation):
        values = section.values(metadata, evaluation)
        if values is not None:
            body = environment.from_string(section.template).render(values)
            parts = {"anchor": section.anchor, "title": section.title}
            sections.append({**parts, "body": Markup(body.strip())})  # noqa: S704  # just escaped
    return environment.from_string(read_template("page.html")).render(
        m=metadata,
        head=head_of_page(evaluation),
        sentence=describe_model(metadata),
        sections=sections,
        css=css,
        script=script,
        policy=Markup(_policy(css, script)),  # noqa: S704  # quotes of hashes stay quotes
    )


def read_template(name: str) -> str:
    """Read a file of the templates folder."""
    folder = resources.files("job.adapters.rendering") / "templates"
    return (folder / name).read_text(encoding="utf-8")


def make_environment() -> jinja2.Environment:
    """Return a jinja2 environment that escapes all values."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, finalize=finalize
    )
    environment.filters |= {
        "breakable": breakable,
        "count": words.count,
        "metric": words.metric_name,
        "number": words.number,
        "percent": words.percent,
        "plain": words.plain_value,
        "score": words.score,
        "signed": words.signed,
        "words": lambda name: str(name).replace("_", " "),
    }
    return environment


def _policy(css: str, script: str) -> str:
    """Return a content security policy that allows only this style and this script, by digest."""
    parts = {"default-src": "'none'", "style-src": _hash(css), "script-src": _hash(script)}
    parts |= {"base-uri": "'none'", "form-action": "'none'"}
    return "; ".join(f"{name} {value}" for name, value in parts.items())


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
