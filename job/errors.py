"""Exit codes of the job, and the errors that cause them."""

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from typing import ClassVar, Final, Protocol


class ExitCode(IntEnum):
    """Process exit codes; the tables in the docs are generated from them."""

    OK = 0
    UNFORESEEN = 1
    CONFIGURATION = 2
    DATASET = 3
    CONTRACT_VIOLATION = 4
    TRAINING = 5
    GATE_REJECTED = 6
    VERSION_CONFLICT = 7
    INTEGRITY = 8
    TRANSIENT = 75
    INTERRUPTED = 130
    TERMINATED = 143


MEANINGS: Final[Mapping[ExitCode, tuple[str, str]]] = {
    ExitCode.OK: (
        "published, already published by this run id, held back, or dry run completed",
        "nobody",
    ),
    ExitCode.UNFORESEEN: ("unexpected error: a bug", "developers"),
    ExitCode.CONFIGURATION: ("settings, options, paths or permissions are wrong", "operator"),
    ExitCode.DATASET: ("the table does not exist or cannot be read", "data owner"),
    ExitCode.CONTRACT_VIOLATION: ("the data violates its expectations", "data owner"),
    ExitCode.TRAINING: (
        "the data is valid, but no trustworthy model can be trained from it",
        "model owner",
    ),
    ExitCode.GATE_REJECTED: ("the gate rejected the candidate", "model owner"),
    ExitCode.VERSION_CONFLICT: (
        "another run or operator changed the channel or version first",
        "operator",
    ),
    ExitCode.INTEGRITY: (
        "stored files are damaged: they differ from what was published",
        "operator",
    ),
    ExitCode.TRANSIENT: ("a device or service is full, busy or unreachable", "nobody yet: retry"),
    ExitCode.INTERRUPTED: ("Ctrl-C", "nobody"),
    ExitCode.TERMINATED: ("SIGTERM", "operator, if repeated"),
}


class PodAction(StrEnum):
    """What Kubernetes does with a Job whose pod ended with an `ExitCode`."""

    COMPLETE = "Complete"
    COUNT = "Count"
    COUNT_UNLESS_DISRUPTED = "Ignore if DisruptionTarget, else Count"
    FAIL_JOB = "FailJob"


# NOTE: Kubernetes never sends SIGINT.  A person sent it, and does not want the run to be repeated.
POD_ACTIONS: Final[Mapping[ExitCode, PodAction]] = {
    ExitCode.OK: PodAction.COMPLETE,
    ExitCode.UNFORESEEN: PodAction.COUNT,
    ExitCode.CONFIGURATION: PodAction.FAIL_JOB,
    ExitCode.DATASET: PodAction.FAIL_JOB,
    ExitCode.CONTRACT_VIOLATION: PodAction.FAIL_JOB,
    ExitCode.TRAINING: PodAction.FAIL_JOB,
    ExitCode.GATE_REJECTED: PodAction.FAIL_JOB,
    ExitCode.VERSION_CONFLICT: PodAction.FAIL_JOB,
    ExitCode.INTEGRITY: PodAction.FAIL_JOB,
    ExitCode.TRANSIENT: PodAction.COUNT,
    ExitCode.INTERRUPTED: PodAction.FAIL_JOB,
    ExitCode.TERMINATED: PodAction.COUNT_UNLESS_DISRUPTED,
}


class SupportsJson(Protocol):
    """A report that can be written to standard output as JSON."""

    def to_json(self) -> Mapping[str, object]:
        """Return the JSON object."""
        ...


class JobError(Exception):
    """An expected failure, with a message and a hint.

    Parameters
    ----------
    message
        Says what is wrong, what was expected and what was found, but never a value of the data.
    hint
        Tells the reader what to do next, with the command or setting if there is one.

    Attributes
    ----------
    run_id, stage
        Id of the failed run, and the stage that failed; None outside of a run.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.UNFORESEEN

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.run_id: str | None = None
        self.stage: str | None = None


class ConfigurationError(JobError):
    """Settings, options, paths or permissions are wrong."""

    exit_code = ExitCode.CONFIGURATION


class AccessDeniedError(ConfigurationError):
    """The credentials of a store lack permissions.

    Attributes
    ----------
    actions
        Names of the missing permissions, such as `s3:GetObject`.
    """

    def __init__(self, message: str, *, hint: str, actions: tuple[str, ...]) -> None:
        super().__init__(message, hint=hint)
        self.actions = actions


class DatasetNotFoundError(JobError):
    """The table does not exist."""

    exit_code = ExitCode.DATASET


class DatasetUnreadableError(JobError):
    """The file or folder exists, but is not a readable table."""

    exit_code = ExitCode.DATASET


class ContractViolationError(JobError):
    """The data violates its expectations.

    Attributes
    ----------
    report
        The results of all expectations; None if the data could not be validated.
    """

    exit_code = ExitCode.CONTRACT_VIOLATION

    def __init__(self, message: str, *, hint: str = "", report: SupportsJson | None = None) -> None:
        super().__init__(message, hint=hint)
        self.report = report


class TrainingError(JobError):
    """The data is valid, but no trustworthy model can be trained from it."""

    exit_code = ExitCode.TRAINING


class GateRejectedError(JobError):
    """The gate rejected the candidate.

    Attributes
    ----------
    result
        Result that the command prints on standard output before it fails.
    is_shown
        Whether the command has already shown the reasons and the next command on the terminal.
    """

    exit_code = ExitCode.GATE_REJECTED

    def __init__(self, message: str, *, hint: str = "", result: SupportsJson) -> None:
        super().__init__(message, hint=hint)
        self.result = result
        self.is_shown = False


class VersionConflictError(JobError):
    """Another run or operator has already moved the channel or used the version name."""

    exit_code = ExitCode.VERSION_CONFLICT


class IntegrityError(JobError):
    """Stored files differ from what was published."""

    exit_code = ExitCode.INTEGRITY


class ForeignFileError(IntegrityError):
    """A file in the place of one that is being published has other bytes.

    Attributes
    ----------
    key
        Key of the file in the store.
    """

    def __init__(self, message: str, *, hint: str, key: str) -> None:
        super().__init__(message, hint=hint)
        self.key = key


class IncompatibleModelError(IntegrityError):
    """A model cannot be loaded with the installed packages."""


class TransientError(JobError):
    """A service or device is unreachable, full or busy; a later attempt may succeed."""

    exit_code = ExitCode.TRANSIENT
