"""Simulated models for the gate: whether a model predicts each row correctly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from job.stages.metrics.predictions import Predictions

N_CLASSES = 4
ACCURACY = 0.93


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Rows, and whether a model predicts each correctly; a wrong prediction is the next class."""

    y: np.ndarray[Any, Any]
    is_right: np.ndarray[Any, Any]

    def predictions(self) -> Predictions:
        y_pred = np.where(self.is_right, self.y, (self.y + 1) % N_CLASSES)
        return Predictions(
            classes=tuple("abcd"),
            y_true=self.y,
            proba=np.eye(N_CLASSES)[y_pred],
            model_classes=np.arange(N_CLASSES),
        )


def first_model(n_rows: int, rng: np.random.Generator) -> World:
    """Draw rows of balanced classes, so that accuracy and macro F1 drop by the same amount."""
    y = rng.integers(N_CLASSES, size=n_rows)
    return World(y=y, is_right=rng.random(n_rows) < ACCURACY)


def next_model(
    before: World,
    discordant: float,
    drop: float,
    rng: np.random.Generator,
    *,
    accuracy: float = ACCURACY,
) -> World:
    """Flip the correctness of a share of the rows, so that the true accuracy falls by `drop`."""
    lost, won = (discordant + drop) / 2, (discordant - drop) / 2
    chance = np.where(before.is_right, lost / accuracy, won / max(1 - accuracy, won))
    flips = rng.random(len(before.y)) < chance
    return World(y=before.y, is_right=before.is_right ^ flips)
