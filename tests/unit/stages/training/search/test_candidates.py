"""Candidates keep the values of their grid, and publish them as JSON."""

import json

import numpy as np
from sklearn.neural_network import MLPClassifier

from job.contracts.reports.search import CandidateScore
from job.contracts.settings.search import SearchSpec
from job.stages.training.estimators import ESTIMATOR_KINDS, EstimatorKind, FitMemory
from job.stages.training.search.candidates import list_candidates


def test_tuples_and_numpy_scalars_of_a_grid_are_published(monkeypatch):
    """They are values of scikit-learn's parameters, but JSON has neither type."""
    kind = EstimatorKind(
        name="mlp",
        load=lambda: MLPClassifier,
        default_grid={"hidden_layer_sizes": ((8, 4),), "max_iter": (np.int64(7),)},
        memory=FitMemory(per_cell=1, per_occurrence=1, per_coefficient=1),
    )
    monkeypatch.setitem(ESTIMATOR_KINDS, "mlp", kind)
    (candidate,) = list_candidates(SearchSpec(estimators={"mlp": {}}), ("embeddings",), 0)
    score = CandidateScore(
        estimator=candidate.estimator,
        parameters=candidate.parameters,
        feature_blocks=candidate.feature_blocks,
        fold_scores=(0.5,),
    )

    assert (8, 4) == dict(candidate.parameters)["hidden_layer_sizes"]
    assert {"hidden_layer_sizes": [8, 4], "max_iter": 7} == json.loads(
        json.dumps(score.to_json(), allow_nan=False)
    )["parameters"]
