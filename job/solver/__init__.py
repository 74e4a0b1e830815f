"""Fast linear models: batched solvers that fit scikit-learn objects to dense or sparse matrices."""
