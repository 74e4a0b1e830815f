"""Fast linear models: batched solvers of dense and sparse matrices, in scikit-learn's objects."""
