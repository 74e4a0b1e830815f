"""Split: hold-out, folds, and the groups of near-duplicates that neither of them separates."""
