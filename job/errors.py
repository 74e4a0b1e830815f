"""The errors of the job: every way it can end, and the exit code of each."""

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from typing import ClassVar, Final, Protocol


class ExitCode(IntEnum):
    """Process exit codes; the README's table is checked against this."""

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
    ExitCode.OK: ("published, already published by this run id, or dry run completed", "nobody"),
    ExitCode.UNFORESEEN: ("not foreseen: a bug", "developers"),
    ExitCode.CONFIGURATION: ("settings, flags, paths or permissions are wrong", "operator"),
    ExitCode.DATASET: ("the table is absent or unreadable", "data owner"),
    ExitCode.CONTRACT_VIOLATION: ("the data breaks its expectations", "data owner"),
    ExitCode.TRAINING: ("the data is valid, but no honest model comes of it", "model owner"),
    ExitCode.GATE_REJECTED: ("the gate rejected the candidate", "model owner"),
    ExitCode.VERSION_CONFLICT: ("somebody else was first", "operator"),
    ExitCode.INTEGRITY: ("stored bytes are not those that were published", "operator"),
    ExitCode.TRANSIENT: ("a device or service is full, busy or unreachable", "nobody yet: retry"),
    ExitCode.INTERRUPTED: ("Ctrl-C", "nobody"),
    ExitCode.TERMINATED: ("SIGTERM", "operator, if repeated"),
}


class PodAction(StrEnum):
    """What Kubernetes makes of a pod that ended with a code."""

    COMPLETE = "Complete"
    COUNT = "Count"
    COUNT_UNLESS_DISRUPTED = "Ignore if DisruptionTarget, else Count"
    FAIL_JOB = "FailJob"


# NOTE: nothing of Kubernetes' own sends SIGINT: who did, wanted the run to end, not to be repeated.
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
    """A report in an error that the command prints on standard output as JSON."""

    def to_json(self) -> Mapping[str, object]:
        """Return the JSON object."""
        ...


class JobError(Exception):
    """An expected failure: what happened, and what to do.

    Parameters
    ----------
    message
        Names the thing, what was expected and what was found; never a cell of the data.
    hint
        What the reader should do next.

    Attributes
    ----------
    run_id, stage
        The run that the error ended, and its stage at that time; None outside of a run.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.UNFORESEEN

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.run_id: str | None = None
        self.stage: str | None = None


class ConfigurationError(JobError):
    """The operator requested something that is not possible."""

    exit_code = ExitCode.CONFIGURATION


class AccessDeniedError(ConfigurationError):
    """The credentials of a store lack permissions.

    Attributes
    ----------
    actions
        Names of the permissions that are missing.
    """

    def __init__(self, message: str, *, hint: str, actions: tuple[str, ...]) -> None:
        super().__init__(message, hint=hint)
        self.actions = actions


class DatasetNotFoundError(JobError):
    """There is no table at the dataset URI."""

    exit_code = ExitCode.DATASET


class DatasetUnreadableError(JobError):
    """The object at the dataset URI is not a readable table."""

    exit_code = ExitCode.DATASET


class ContractViolationError(JobError):
    """The data does not meet its expectations.

    Attributes
    ----------
    report
        The findings of all expectations; None if the data could not be validated at all.
    """

    exit_code = ExitCode.CONTRACT_VIOLATION

    def __init__(self, message: str, *, hint: str = "", report: SupportsJson | None = None) -> None:
        super().__init__(message, hint=hint)
        self.report = report


class TrainingError(JobError):
    """The data is valid, but no trustworthy model can be trained from it."""

    exit_code = ExitCode.TRAINING


class GateRejectedError(JobError):
    """The candidate was judged and not accepted.

    Attributes
    ----------
    result
        Result that the command prints on standard output despite the error.
    """

    exit_code = ExitCode.GATE_REJECTED

    def __init__(self, message: str, *, hint: str = "", result: SupportsJson) -> None:
        super().__init__(message, hint=hint)
        self.result = result


class VersionConflictError(JobError):
    """Another run or operator moved a channel or claimed a name first."""

    exit_code = ExitCode.VERSION_CONFLICT


class IntegrityError(JobError):
    """Stored bytes are not the bytes that were published."""

    exit_code = ExitCode.INTEGRITY


class IncompatibleModelError(IntegrityError):
    """A model cannot be read by the packages that are installed here."""


class TransientError(JobError):
    """A service or device is unreachable, full or busy; trying again later may help."""

    exit_code = ExitCode.TRANSIENT
