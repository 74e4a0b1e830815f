"""Write the generated parts of `docs/`; with `--check`, fail if one is out of date."""

import ast
import inspect
import sys
from pathlib import Path

from job.contracts.settings.job_settings import JobSettings
from job.errors import MEANINGS, POD_ACTIONS
from job.settings import known_keys
from job.settings.schema import AUTOMATIC

ROOT = Path(__file__).parent.parent
# from top to bottom, in the order in which `run` uses them
ROOMS = (
    *("cli", "pipeline", "stages/data", "stages/features", "stages/split"),
    *("stages/lineage", "stages/metrics"),
    *("stages/training", "stages/drift", "stages/evaluation", "stages/gate", "stages/packaging"),
    "stages/prediction",
    *("registry", "solver", "adapters", "contracts"),
)
# Settings that few runs need to change; docs/settings.md folds them.
ADVANCED = frozenset(
    {
        *("dataset.max_rows", "dataset.embeddings_standardized_per_batch"),
        *("split.method", "split.salt", "split.near_duplicates"),
        *("split.min_jaccard", "split.min_cosine"),
        *("features.min_groups", "features.analyzers", "features.geometry"),
        *("search.choose_on", "search.method", "search.n_iter", "search.prefer"),
        *("search.calibration", "search.temperature", "search.engine", "search.inputs"),
        *("search.halving_factor", "search.max_seconds", "search.max_memory", "search.workers"),
        *("evaluation.confidence", "evaluation.resamples", "evaluation.method"),
        *("evaluation.cross_fit_folds", "evaluation.min_slice_rows", "evaluation.label_noise"),
        *("evaluation.challenge_split", "decision.learn_on"),
        *("drift.psi", "drift.class_share", "drift.unseen_words"),
        *("drift.mean_shift", "drift.lost_variance"),
        *("gate.alpha", "gate.inconclusive", "gate.max_drop", "gate.calibration_error"),
        *("gate.slice_floor", "gate.stress_floor", "gate.latency_severity"),
        *("store.storage_class", "store.tags", "store.abandoned_after_hours"),
        *("s3.addressing", "s3.checksums", "s3.connect_timeout_seconds"),
        *("s3.read_timeout_seconds", "s3.max_attempts"),
    }
)


def settings_tables() -> str:
    """Return a heading, a sentence and a table for each section; advanced keys are folded."""
    parts = []
    for section, field in JobSettings.model_fields.items():
        keys = [key for key in known_keys() if key == section or key.startswith(f"{section}.")]
        if keys == [section]:  # a setting of no section
            parts += [f"## {section}", "", *_settings_table(keys), ""]
            continue
        basic = [key for key in keys if key not in ADVANCED]
        advanced = [key for key in keys if key in ADVANCED]
        parts += [f"## {section}", "", _first_line(field.annotation), ""]
        parts += [*_settings_table(basic), ""]
        if advanced:
            parts += ["<details>", f"<summary>Advanced settings: {section}</summary>", ""]
            parts += [*_settings_table(advanced), "", "</details>", ""]
    return "\n".join(parts[:-1])


def _settings_table(keys: list[str]) -> list[str]:
    lines = ["| key | default | description |", "|---|---|---|"]
    for key in keys:
        model: object = JobSettings
        value: object = JobSettings().model_dump(mode="json")
        for part in key.split("."):
            field = model.model_fields[part]  # type: ignore[attr-defined]
            model = field.annotation
            assert isinstance(value, dict)
            value = value[part]
        default = "unset" if value is None else str(value).replace("|", "\\|")
        default = "auto" if key in AUTOMATIC else default
        # descriptions name pages by their path in the repository
        text = field.description.replace("](docs/", "](").replace("|", "\\|")
        lines.append(f"| `{key}` | `{default}` | {text} |")
    return lines


def _first_line(model: object) -> str:
    return (inspect.getdoc(model) or "").partition("\n")[0]


def exit_codes() -> str:
    lines = ["| code | what happened | who acts | Kubernetes |", "|---:|---|---|---|"]
    lines += [
        f"| {int(code)} | {what} | {who} | {POD_ACTIONS[code]} |"
        for code, (what, who) in MEANINGS.items()
    ]
    return "\n".join(lines)


def modules() -> str:
    """Return a table for each package of `job`: its modules, and what their docstrings say."""
    parts = ["| module of `job` | what it is for |", "|---|---|"]
    parts += [_row(path, path.name) for path in sorted((ROOT / "job").glob("[a-z]*.py"))]
    for room in ROOMS:
        folder = ROOT / "job" / room
        parts += ["", f"### {room}", "", _summary(folder / "__init__.py"), ""]
        parts += [f"| module of `{room}` | what it is for |", "|---|---|"]
        names = {path.relative_to(folder) for path in folder.rglob("*.py")}
        parts += [
            _row(folder / name, str(name).removesuffix("/__init__.py"))
            for name in sorted(names, key=str)
            if str(name) != "__init__.py"
        ]
    return "\n".join(parts)


def _row(path: Path, name: str) -> str:
    return f"| [`{name}`](../{path.relative_to(ROOT)}) | {_summary(path)} |"


def _summary(path: Path) -> str:
    text = ast.get_docstring(ast.parse(path.read_text())) or ""
    return text.partition("\n")[0]


def replace_block(text: str, name: str, content: str) -> str:
    """Return a page whose block between the markers of `name` is `content`."""
    before, start, rest = text.partition(f"<!-- {name} -->\n")
    _, end, after = rest.partition(f"<!-- /{name} -->")
    assert start and end, f"the page has no place for {name}"
    return "".join((before, start, content, "\n", end, after))


def main() -> None:
    pages = {
        "docs/settings.md": (("settings", settings_tables()),),
        "docs/exit-codes.md": (("exit-codes", exit_codes()),),
        "docs/modules.md": (("modules", modules()),),
    }
    for page, contents in pages.items():
        text = (ROOT / page).read_text()
        fresh = text
        for name, content in contents:
            fresh = replace_block(fresh, name, content)
        if "--check" in sys.argv and fresh != text:
            raise SystemExit(f"{page} is stale: run `make docs`")
        (ROOT / page).write_text(fresh)


if __name__ == "__main__":
    main()
