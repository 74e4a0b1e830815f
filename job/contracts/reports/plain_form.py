"""How the published plain form of a model was compared with the fitted pipeline."""

from __future__ import annotations

from pydantic import Field

from job.contracts.reports.part import Count, NineDecimals, Part


class PlainFormProof(Part):
    """Comparison of `model.safetensors` with the fitted pipeline; a form that differs is refused.

    Both predict the test rows, and hard rows: strange texts, extreme and missing numbers, and
    levels that do not occur in training.
    """

    n_rows: Count = Field(description="Rows of the hold-out; with cross-fitting, of the test rows.")
    n_hard_rows: Count = Field(description="Hard rows, which the job makes.")
    n_ties: Count = Field(
        description="Rows whose two best classes differ in probability by less than 1e-9. Only "
        "such rows may have another class."
    )
    n_crossed: Count = Field(
        description="Rows whose probability is on the other side of the decision threshold, "
        "because it differs from the threshold by less than 1e-9."
    )
    largest_difference: NineDecimals = Field(
        description="Largest difference of a probability. It is at most 1e-9."
    )
