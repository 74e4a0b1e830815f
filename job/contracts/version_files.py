"""The files of a published version, and of a run's reports, by name."""

from typing import Final

MODEL_FILE: Final = "model.joblib"
# the same model as plain numbers, which the gate reads
PLAIN_MODEL_FILE: Final = "model.safetensors"
METADATA_FILE: Final = "metadata.json"
EVALUATION_FILE: Final = "evaluation.json"
VALIDATION_FILE: Final = "validation.json"
# versions of earlier releases have it; later ones have lineage files instead
EARLIER_TRAINING_KEYS_FILE: Final = "training_keys.npy"
REPORT_FILE: Final = "report.html"
CARD_FILE: Final = "model_card.md"
# names of figures start with it
FIGURES_FOLDER: Final = "figures/"
# written last: a version exists once its manifest exists
MANIFEST_FILE: Final = "manifest.json"
# files of a version other than those that codecs write
FURTHER_FILES: Final = frozenset(
    {
        PLAIN_MODEL_FILE,
        METADATA_FILE,
        EVALUATION_FILE,
        VALIDATION_FILE,
        EARLIER_TRAINING_KEYS_FILE,
        REPORT_FILE,
        CARD_FILE,
        MANIFEST_FILE,
    }
)
# stored with a run only
LABEL_ISSUES_FILE: Final = "label_issues.json"
DRIFT_FILE: Final = "drift.json"
