"""Write the generated tables of the README; with `--check`, fail if they are stale."""

import sys
from pathlib import Path

from job.contracts.settings.job_settings import JobSettings
from job.errors import MEANINGS, POD_ACTIONS
from job.settings import known_keys

README = Path(__file__).parent.parent / "README.md"


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


def main() -> None:
    text = README.read_text()
    fresh = text
    for name, content in (("settings", settings_table()), ("exit-codes", exit_codes())):
        before, start, rest = fresh.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- /{name} -->")
        assert start and end, f"README has no place for {name}"
        fresh = "".join((before, start, content, "\n", end, after))
    if "--check" in sys.argv and fresh != text:
        raise SystemExit("README.md is stale: run `make docs`")
    README.write_text(fresh)


if __name__ == "__main__":
    main()
