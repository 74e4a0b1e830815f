"""Renew what the README shows of `make run`: its output, and the picture of the report.

`python -m scripts.renew_readme` needs Chromium; it runs the job on the sample table.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

from scripts.generate_docs import ROOT, replace_block

PICTURE = ROOT / "docs/images/report.png"
TABLE = "data/curated_training_data.parquet"
WIDTH, HEIGHT = 1280, 890
# the scores and stages that the README shows
SCORES = ("accuracy", "f1_macro", "log_loss")
STAGES = ("loading", "search", "train")


def format_output(stdout: str) -> str:
    """Return the lines of the JSON that a run prints, with few scores and short digests."""
    result = json.loads(stdout)
    dataset = result["dataset"]
    for key in ("content_digest", "file_digest"):
        dataset[key] = dataset[key][:15] + "..."
    result["scores"] = {name: result["scores"][name] for name in SCORES}
    result["stages"] = {name: result["stages"][name] for name in STAGES}
    lines = [_format_member(key, value) for key, value in result.items()]
    return "{\n" + ",\n".join(lines) + "\n}"


def _format_member(key: str, value: object) -> str:
    joined = f"{json.dumps(key)}: {json.dumps(value)}".replace('": ', '":\xa0')
    wrapper = textwrap.TextWrapper(
        width=100,
        initial_indent="  ",
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return wrapper.fill(joined).replace("\xa0", " ")


def run_sample(folder: Path) -> str:
    """Run the two commands of `make run` in a folder; return the output of the second."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PCC_JOB_")}
    environment["PYTHONPATH"] = str(ROOT)
    job = [sys.executable, "-m", "job"]
    for arguments in (["sample-data", TABLE], ["run", "--dataset", TABLE, "--store", "./models"]):
        done = subprocess.run(
            [*job, *arguments], cwd=folder, env=environment, check=True, stdout=subprocess.PIPE
        )
    return done.stdout.decode()


def take_picture(report: Path, picture: Path) -> None:
    """Save a picture of the top of a report."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        raise SystemExit("the picture of the report needs Chromium: install it, then repeat")
    picture.parent.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(report.resolve().as_uri())
        page.screenshot(path=picture)
        browser.close()


def main() -> None:
    readme = ROOT / "README.md"
    with tempfile.TemporaryDirectory() as folder:
        stdout = run_sample(Path(folder))
        (report,) = Path(folder).glob("models/v*/report.html")
        take_picture(report, PICTURE)
    block = f"```json\n{format_output(stdout)}\n```"
    readme.write_text(replace_block(readme.read_text(), "run-output", block))


if __name__ == "__main__":
    main()
