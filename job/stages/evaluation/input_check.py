"""Choose the check by which a consumer can detect a restandardized batch.

A batch is restandardized if it was standardized by its own means and deviations, instead of those
of the table.

How it works
------------
1. Some models restore rows to length 1: they map the columns by scales and offsets that invert the
   table's scaling, up to rounding (`coarse_map`).  If a batch was scaled with the table's scalers,
   its mapped rows have a length of about 1.  Rows of a restandardized batch with another class mix
   get other lengths.  The measure is the root mean square of length - 1.  A restandardized batch
   with the table's class mix is not detected.
2. For other models, the column means are checked.  They are exactly zero in a restandardized batch,
   and vary in other batches.  The measure is n * mean(m**2) / mean(v) for n rows, column means m
   and column variances v.  The measure is 0 for a restandardized batch, about 1 for rows drawn at
   random, and more than 1 for another class mix.
3. Both bounds are constants.  They are not computed from rows, so no group can change them.

The bounds were chosen with 360 batches for the length deviation and 600 for the column means, of
50, 200 and 1,000 rows each; in half of the batches, one class has 85% of the rows.  The first
column is the range of the measure for batches with the table's scalers, the second is its range for
restandardized batches.
    length deviation, upstream, 85% of one class    0.004-0.0085            0.052-0.12
    length deviation, upstream, usual class mix     0.004-0.0085            0.006-0.06
    column means, upstream, 10,000 and 2,000 rows   0.44-142                0
    eight random sums of columns, |mean| at most    0.02-0.8                0
The last measure, means of eight sums of columns in fixed directions, was rejected: in batches with
the table's scalers, these means can be too close to 0 for a reliable lower bound.
"""

from __future__ import annotations

from typing import Final

from job.contracts.reports.geometry import Geometry
from job.contracts.reports.input_check import InputCheck
from job.contracts.settings.search import FeatureBlocks

BY_LENGTH: Final = InputCheck(measure="length_deviation", lower=0.0, upper=0.03, min_rows=1)
BY_MEANS: Final = InputCheck(measure="column_means", lower=0.3, upper=None, min_rows=50)


def choose_input_check(
    geometry: Geometry | None, feature_blocks: FeatureBlocks, *, is_standardized: bool
) -> InputCheck | None:
    """Return the check of batches that suits the model's input; None if no check does.

    Parameters
    ----------
    geometry
        Whether and how embeddings are restored to length 1; None if this was not determined.
    is_standardized
        Whether embeddings are known to be standardized per batch.
    """
    if "embeddings" not in feature_blocks:
        return None
    if geometry is not None and geometry.status == "restored":
        return BY_LENGTH
    return BY_MEANS if is_standardized else None
