"""Settings that many tests give."""

OPEN = "gate.floors={accuracy: null, precision_macro: null, recall_macro: null, f1_macro: null}"
