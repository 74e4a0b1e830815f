"""All cases of hints that are obeyed, by subject."""

from support.hint_cases.cells import CELLS
from support.hint_cases.columns import COLUMNS
from support.hint_cases.commands import COMMANDS
from support.hint_cases.predictions import PREDICTIONS
from support.hint_cases.repeated_runs import REPEATED_RUNS
from support.hint_cases.runs import RUNS
from support.hint_cases.settings import SETTINGS_CASES
from support.hint_cases.stores import STORES
from support.hint_cases.tables import TABLES

CASES = (
    *TABLES,
    *COLUMNS,
    *CELLS,
    *COMMANDS,
    *SETTINGS_CASES,
    *PREDICTIONS,
    *STORES,
    *REPEATED_RUNS,
    *RUNS,
)
