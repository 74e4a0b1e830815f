"""The files of a published version, and of a run's reports, by name."""

from typing import Final

MODEL_FILE: Final = "model.joblib"
METADATA_FILE: Final = "metadata.json"
EVALUATION_FILE: Final = "evaluation.json"
VALIDATION_FILE: Final = "validation.json"
PROFILE_FILE: Final = "profile.json"
VOCABULARY_FILE: Final = "vocabulary.npy"
TRAINING_KEYS_FILE: Final = "training_keys.npy"
REPORT_FILE: Final = "report.html"
CARD_FILE: Final = "model_card.md"
# names of figures begin with it
FIGURES_FOLDER: Final = "figures/"
# written last: a version exists once its manifest does
MANIFEST_FILE: Final = "manifest.json"
# what a version has besides the files of the model
FURTHER_FILES: Final = frozenset(
    {
        METADATA_FILE,
        EVALUATION_FILE,
        VALIDATION_FILE,
        PROFILE_FILE,
        VOCABULARY_FILE,
        TRAINING_KEYS_FILE,
        REPORT_FILE,
        CARD_FILE,
        MANIFEST_FILE,
    }
)
# of a run only
LABEL_ISSUES_FILE: Final = "label_issues.json"
DRIFT_FILE: Final = "drift.json"
