"""Split: the hold-out, the folds, and the groups of near-duplicates that both keep together."""
