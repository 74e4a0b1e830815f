"""Features: preprocessing of feature blocks, and the feature matrices of subsets of rows."""
