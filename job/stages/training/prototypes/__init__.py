"""The estimator `prototypes`: a few centers a class, and a logistic regression on the nearest."""

from job.stages.training.prototypes.estimator import Prototypes, fit_prototypes, with_same_centers
from job.stages.training.prototypes.items import RowGroups

__all__ = ["Prototypes", "RowGroups", "fit_prototypes", "with_same_centers"]
