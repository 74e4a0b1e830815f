"""Fast linear models; knows NumPy, SciPy, scikit-learn and how to use several threads."""
