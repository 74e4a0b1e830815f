"""The estimator `prototypes`: classes as sums of local densities around a few centers each."""

from job.stages.prototypes.estimator import Prototypes, fit_prototypes, with_same_centers
from job.stages.prototypes.items import RowGroups

__all__ = ["Prototypes", "RowGroups", "fit_prototypes", "with_same_centers"]
