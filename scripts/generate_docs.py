"""Write the generated parts of the README and `docs/`; with `--check`, fail if out of date."""

import ast
import sys
from pathlib import Path

from job.contracts.settings.job_settings import JobSettings
from job.errors import MEANINGS, POD_ACTIONS
from job.settings import known_keys

ROOT = Path(__file__).parent.parent
# from top to bottom, in the order in which `run` uses them
ROOMS = (
    *("cli", "pipeline", "stages/data", "stages/features", "stages/split", "stages/metrics"),
    *("stages/training", "stages/drift", "stages/evaluation", "stages/gate", "stages/packaging"),
    *("registry", "solver", "adapters", "contracts"),
)


def settings_table() -> str:
    lines = ["| key | default | what it is |", "|---|---|---|"]
    for key in known_keys():
        model: object = JobSettings
        value: object = JobSettings().model_dump(mode="json")
        for part in key.split("."):
            field = model.model_fields[part]  # type: ignore[attr-defined]
            model = field.annotation
            assert isinstance(value, dict)
            value = value[part]
        default = "unset" if value is None else str(value).replace("|", "\\|")
        lines.append(f"| `{key}` | `{default}` | {field.description} |")
    return "\n".join(lines)


def exit_codes() -> str:
    lines = ["| code | what happened | who acts | Kubernetes |", "|---:|---|---|---|"]
    lines += [
        f"| {int(code)} | {what} | {who} | {POD_ACTIONS[code]} |"
        for code, (what, who) in MEANINGS.items()
    ]
    return "\n".join(lines)


def modules() -> str:
    """Return a table for each package of `job`: its modules with the first docstring lines."""
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


def main() -> None:
    pages = {
        "README.md": (("settings", settings_table()), ("exit-codes", exit_codes())),
        "docs/modules.md": (("modules", modules()),),
    }
    for page, contents in pages.items():
        text = (ROOT / page).read_text()
        fresh = text
        for name, content in contents:
            before, start, rest = fresh.partition(f"<!-- {name} -->\n")
            _, end, after = rest.partition(f"<!-- /{name} -->")
            assert start and end, f"{page} has no place for {name}"
            fresh = "".join((before, start, content, "\n", end, after))
        if "--check" in sys.argv and fresh != text:
            raise SystemExit(f"{page} is stale: run `make docs`")
        (ROOT / page).write_text(fresh)


if __name__ == "__main__":
    main()
