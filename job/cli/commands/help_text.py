"""The end of each command's help: examples and exit codes."""

from __future__ import annotations

from typing import Final

from job.errors import ExitCode

TRAIN: Final = "Train"
JUDGE: Final = "Judge"
VERSIONS: Final = "Versions"
SETTINGS: Final = "Settings"
_WORDS: Final = {
    ExitCode.OK: "done",
    ExitCode.CONFIGURATION: "settings or options are wrong",
    ExitCode.DATASET: "no readable table",
    ExitCode.CONTRACT_VIOLATION: "the data violates its expectations",
    ExitCode.TRAINING: "no trustworthy model",
    ExitCode.GATE_REJECTED: "rejected by the gate",
    ExitCode.VERSION_CONFLICT: "something else moved first",
    ExitCode.INTEGRITY: "stored files are damaged",
    ExitCode.TRANSIENT: "busy, full or unreachable: try again",
}
OF_STORE: Final = (ExitCode.OK, ExitCode.CONFIGURATION, ExitCode.INTEGRITY, ExitCode.TRANSIENT)
OF_MOVES: Final = (*OF_STORE[:2], ExitCode.VERSION_CONFLICT, *OF_STORE[2:])
OF_TABLE: Final = (
    ExitCode.OK,
    ExitCode.CONFIGURATION,
    ExitCode.DATASET,
    ExitCode.CONTRACT_VIOLATION,
    ExitCode.TRANSIENT,
)
OF_SETTINGS: Final = (ExitCode.OK, ExitCode.CONFIGURATION)


def epilog(*examples: str, codes: tuple[ExitCode, ...]) -> str:
    """Return the end of a command's help; each example is a command without `pcc-job`."""
    lines = [f"  pcc-job {example}" for example in examples]
    told = "; ".join(f"{int(code)} {_WORDS[code]}" for code in codes)
    title = "Example:" if len(lines) == 1 else "Examples:"
    return "\n\n".join([title, *lines, f"Exit codes: {told}."])
