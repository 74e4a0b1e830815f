"""The estimator `prototypes`: centers of each class, and a logistic regression on similarities."""

from job.stages.training.prototypes.estimator import (
    Prototypes,
    fit_prototypes,
    group_by_shared_centers,
)
from job.stages.training.prototypes.items import RowGroups

__all__ = ["Prototypes", "RowGroups", "fit_prototypes", "group_by_shared_centers"]
