"""The metrics by which candidates can be chosen."""

from enum import StrEnum


class Metric(StrEnum):
    """Scores by which candidates are chosen and compared; higher is better."""

    ACCURACY = "accuracy"
    BALANCED_ACCURACY = "balanced_accuracy"
    F1_MACRO = "f1_macro"
    F1_WEIGHTED = "f1_weighted"
    PRECISION_MACRO = "precision_macro"
    RECALL_MACRO = "recall_macro"
    ROC_AUC_OVR = "roc_auc_ovr"
    NEG_LOG_LOSS = "neg_log_loss"
