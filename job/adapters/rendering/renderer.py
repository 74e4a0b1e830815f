"""Write the report, the figures and the model card."""

from __future__ import annotations

from markupsafe import Markup

from job.adapters.rendering.card import render_card
from job.adapters.rendering.charts import heat_map
from job.adapters.rendering.report import read_template, render_report
from job.adapters.rendering.sections.curves import draw_curves
from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.metadata import Metadata
from job.contracts.reports.validation import ValidationReport
from job.contracts.version_files import CARD_FILE, REPORT_FILE


class ReportRenderer:
    """Renders a report and a model card that load nothing from the web."""

    def render(
        self,
        metadata: Metadata,
        evaluation: Evaluation,
        validation: ValidationReport | None = None,
    ) -> dict[str, bytes]:
        """Return report.html, model_card.md and figures/*.svg by name."""
        # parse the published bytes, so that a page rendered from the file later is the same
        metadata = Metadata.parse(metadata.to_bytes())
        if validation is not None:
            validation = ValidationReport.parse(validation.to_bytes())
        figures = _draw_figures(evaluation)
        texts = {
            REPORT_FILE: render_report(metadata, evaluation, validation),
            CARD_FILE: render_card(metadata, evaluation, figures=sorted(figures)),
            **{name: _stand_alone(svg) for name, svg in figures.items()},
        }
        return {name: text.encode() for name, text in texts.items()}


def _draw_figures(evaluation: Evaluation) -> dict[str, Markup]:
    files = {
        "figures/confusion_matrix.svg": heat_map(
            evaluation.classes, evaluation.confusion, "Confusion matrix"
        )
    }
    names = {"roc": "roc_curves", "pr": "precision_and_recall"}
    for key, svg in draw_curves(evaluation).items():
        files[f"figures/{names[key]}.svg"] = svg
    return files


def _stand_alone(svg: Markup) -> str:
    """Return a chart of the report as a separate SVG file, with namespace and colors added."""
    start, end, rest = svg.partition(">")
    style = f"<style>{read_template('figure.css').strip()}</style>"
    return f'{start} xmlns="http://www.w3.org/2000/svg"{end}{style}{rest}\n'
