"""What a model's predictions are worth: metrics, resampling by group, confidence bounds."""
