"""The command that predicts texts or a table with a published version."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from job.cli.commands.options import Options, Version, takes_options
from job.cli.composition import open_store
from job.cli.layout import lay_out_columns
from job.cli.output import check_form, write_result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from job.contracts.reports.predictions import AnswerRule, TablePredictions, TextPredictions

_HINT = (
    "for example `pcc-job predict {0} 'please delete my data'`, or `pcc-job predict {0} --dataset "
    "TABLE --out predictions.csv`"
)


Texts = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[TEXT]...", help="Texts to predict; `-` reads them from stdin, one per line."
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Predict the table of --dataset, and write this .parquet, .csv or .csv.gz file: one "
        "row for each row of the table, in its order, with the columns label, confidence and "
        "is_answered. The column dataset.columns.id comes first, if it is set.",
    ),
]


@takes_options("config", "dataset", "store", "sets", "output")
def predict(
    context: typer.Context,
    version: Version,
    texts: Texts = None,
    out: Out = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file of --out.")] = False,
    *,
    options: Options,
) -> None:
    """Predict texts or a table: class, confidence, and whether the model answers.

    `is_answered` is false if a person should handle the request: the confidence is less than the
    version's decision threshold. The model is read from model.safetensors; nothing is unpickled. A
    row without a text, or with an embedding that cannot be used, has no label.
    """
    check_form(options.output)
    _check_arguments(version, texts, out, options)
    settings = options.effective_settings().settings
    if out is not None:
        from job.cli.predict_table import check_files

        check_files(out, settings, is_forced=force)
    store = open_store(settings, must_exist=True)
    from job.registry.resolve import resolve_version
    from job.stages.packaging.read_plain_form import read_published_model

    published = read_published_model(store, resolve_version(store, version))
    if out is not None:
        from job.cli.predict_table import predict_table_file

        result = predict_table_file(published, settings, out, context.obj)
        write_result(result, options.output, _lay_out_counts)
        return
    from job.stages.prediction.texts import predict_texts

    given = _read_lines() if texts == ["-"] else texts or []
    write_result(predict_texts(published, given), options.output, _lay_out_predictions)


def _check_arguments(
    version: str, texts: Sequence[str] | None, out: Path | None, options: Options
) -> None:
    """Raise `ConfigurationError` unless either texts or a table with an output file is given."""
    from job.errors import ConfigurationError

    hint = _HINT.format(version)
    if texts and (out is not None or options.dataset is not None):
        raise ConfigurationError(
            "expected texts or --dataset with --out, but both were given", hint=hint
        )
    if not texts and out is None:
        problem = "--dataset needs --out" if options.dataset else "nothing to predict"
        raise ConfigurationError(f"{problem}: expected texts, or --dataset with --out", hint=hint)


def _read_lines() -> list[str]:
    """Return the lines of stdin, which must be UTF-8 text."""
    from job.errors import ConfigurationError

    data = b"" if sys.stdin is None else sys.stdin.buffer.read()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigurationError(
            "stdin is not UTF-8 text", hint="`iconv -f ENCODING -t UTF-8` converts it"
        ) from None
    lines = text.replace("\r\n", "\n").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def _lay_out_predictions(result: TextPredictions) -> list[str]:
    rows = [
        (n, p.label or "(no text)", _round(p.confidence), "model" if p.is_answered else "person")
        for n, p in enumerate(result.predictions, start=1)
    ]
    head = ("text", "label", "confidence", "handled by")
    return [*lay_out_columns(head, rows), "", *_lay_out_rule(result.version, result.decision)]


def _round(confidence: float | None) -> str:
    return "-" if confidence is None else f"{confidence:.4f}"


def _lay_out_counts(result: TablePredictions) -> list[str]:
    by_count = sorted(result.labels.items(), key=lambda item: (-item[1], item[0]))
    return [
        f"{result.n_rows:,} rows, {result.n_answered:,} answered by the model, "
        f"{result.n_not_predicted:,} without a prediction: {result.path}",
        *(f"  {name}: {n:,}" for name, n in result.not_predicted.items()),
        "",
        *lay_out_columns(("label", "rows"), by_count),
        "",
        *_lay_out_rule(result.version, result.decision),
    ]


def _lay_out_rule(version: str, rule: AnswerRule) -> list[str]:
    """Return lines that say why the model answers or does not answer."""
    if rule.threshold is not None:
        return [f"{version} answers if the confidence is at least {rule.threshold:.4f}"]
    answers = "answers every request" if rule.status == "not_needed" else "answers no request"
    return [f"{version} {answers}: {rule.reason or 'it has no decision threshold'}"]
