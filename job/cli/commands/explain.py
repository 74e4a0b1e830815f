"""The command that lists the features with the largest weights of a class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from job.cli.commands.options import Options, Version, takes_options
from job.cli.layout import lay_out_columns
from job.cli.output import write_result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from job.contracts.reports.predictions import Explanation, FeatureWeight


@takes_options("config", "store", "sets", "output")
def explain(
    version: Version,
    label: Annotated[str, typer.Argument(metavar="CLASS", help="Class of the model.")],
    top: Annotated[
        int, typer.Option(min=1, help="Number of features for the class, and against it.")
    ] = 10,
    *,
    options: Options,
) -> None:
    """Print the terms and columns with the largest weights for and against a class.

    A weight is the model's coefficient. Single dimensions of an embedding have no names, so a model
    that takes embeddings only cannot be explained in this way.
    """
    store = options.open_store()[0]
    from job.registry.resolve import resolve_version
    from job.stages.packaging.read_plain_form import read_published_model
    from job.stages.prediction.explanation import explain_class

    published = read_published_model(store, resolve_version(store, version))
    write_result(explain_class(published, label, top), options.output, _lay_out)


def _lay_out(result: Explanation) -> list[str]:
    parts = (("for", result.for_class), ("against", result.against_class))
    lines = []
    for word, features in parts:
        lines += [f"{word} {result.label}", *_lay_out_features(features), ""]
    return [*lines, f"{result.n_features:,} features of {result.version}", *result.notes]


def _lay_out_features(features: Sequence[FeatureWeight]) -> list[str]:
    # in quotes, because a part of a word can begin or end with a space
    rows = [(f"{f.weight:.4f}", f"'{f.feature}'", f.kind) for f in features]
    return lay_out_columns(("weight", "feature", "kind"), rows)
