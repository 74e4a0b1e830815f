"""What the estimators are given: preprocessing, and the feature matrices of subsets of rows."""
