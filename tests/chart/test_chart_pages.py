"""README, NOTES and comments of the chart are complete and correct."""

import re
import shutil
import subprocess

import pytest
import yaml
from support.chart import CASES, CHART, MINIMAL, load, program, render, with_value

from job import __version__


def test_readme_is_what_helm_docs_writes():
    """README.md is not edited by hand; `make chart-docs` writes it."""
    command = ["helm-docs", "--dry-run", "--log-level", "warning", "-s", "file", "-c", str(CHART)]
    program("helm-docs")
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert (CHART / "README.md").read_text().strip() == done.stdout.strip()


def test_every_value_is_described():
    """Each key has its own `# --` line, or is below a key that has one."""
    text = (CHART / "values.yaml").read_text().splitlines()
    described, undescribed, parents = [], [], []
    for number, line in enumerate(text):
        match = re.match(r"^( *)([A-Za-z.]+):(.*)$", line)
        if not match or line.lstrip().startswith("#"):
            continue
        indent, name = len(match[1]), match[2]
        parents = [parent for parent in parents if parent[0] < indent]
        before = [
            above for above in text[:number][-2:] if above.strip().startswith(("# --", "# @"))
        ]
        is_described = bool(before) and any(above.strip().startswith("# --") for above in before)
        is_section = not match[3].strip()
        if is_described:
            described.append(name)
        elif not is_section and not any(parent[1] for parent in parents):
            undescribed.append(name)
        parents.append((indent, is_described))

    assert [] == undescribed
    assert len(described) > 60


@pytest.mark.parametrize(
    "path", [path for name, path in CASES.items() if name != "everything"], ids=lambda p: p.stem
)
def test_environment_says_what_it_is_and_needs(path):
    """An example cannot be installed without knowing its requirements."""
    first, second = path.read_text().splitlines()[:2]

    assert first.startswith(f"# {path.stem.removesuffix('-values')}: ")
    assert second.startswith("# Needs: ")


def test_chart_is_made_for_the_job_beside_it():
    """The default tag is the appVersion."""
    assert __version__ == load(CHART / "Chart.yaml")["appVersion"]


@pytest.fixture
def notes(tmp_path):
    """Render NOTES.txt from a copy as an object, because helm only shows it with a cluster."""

    def show(values):
        copy = tmp_path / "chart"
        shutil.copytree(CHART, copy, dirs_exist_ok=True)
        shutil.move(copy / "templates" / "NOTES.txt", copy / "notes")
        (copy / "templates" / "notes.yaml").write_text(
            'kind: Notes\ntext: {{ tpl (.Files.Get "notes") . | toJson }}\n'
        )
        return render(values, chart=copy)["Notes"]["text"]

    return show


@pytest.mark.parametrize("case", CASES)
def test_notes_give_commands_that_a_shell_can_read(notes, case):
    """Start, follow, read: each command is complete, and names this release's objects."""
    text = notes(CASES[case])
    commands = "\n".join(line for line in text.splitlines() if line.startswith("  "))
    subprocess.run(["bash", "-n"], input=commands, text=True, check=True)
    name = render(CASES[case])["CronJob"]["metadata"]["name"]

    assert f'kubectl -n pcc create job "$RUN" --from=cronjob/{name}' in text
    assert "helm test pcc-training-job -n pcc --logs" in text
    assert f"kubectl -n pcc delete pod/{name}-doctor" in text
    assert "|| ended; do" in text
    assert f"Models go to {load(CASES[case])['config']['store']['uri']};" in text
    assert len(f"{name}-1800000000") <= 63


@pytest.mark.parametrize(
    ("endpoint", "egress", "is_warned"),
    [
        ("http://minio:9000", [], True),
        ("http://minio", [], True),
        ("https://minio", [], False),
        ("https://minio:443/", [], False),
        ("http://minio:9000", [{"ports": [9000]}], False),
        ("https://minio:9000", [{"ports": [443]}], True),
    ],
)
def test_notes_warn_of_a_store_that_the_policy_shuts_off(notes, endpoint, egress, is_warned):
    """A closed port looks like an unreachable store: exit 75 until the retries end."""
    values = with_value(MINIMAL, "config.s3", {"endpoint_url": endpoint})
    text = notes(values | {"networkPolicy": {"egress": egress}})

    assert is_warned == ("WARNING: the NetworkPolicy allows port" in text)


@pytest.mark.parametrize(
    ("changes", "is_warned"),
    [
        ({}, True),
        ({"extraEnvFrom": [{"secretRef": {"name": "s3-rights"}}]}, True),
        ({"lineage.existingSecret": "keys"}, False),
        ({"config.lineage": {"key_file": "/mnt/keys"}}, False),
        ({"extraEnv": [{"name": "PCC_JOB_LINEAGE_KEY", "value": "a"}]}, False),
    ],
)
def test_notes_warn_of_a_key_beside_the_digests(notes, changes, is_warned):
    """Without a mounted key, everyone who can read the whole store can read the key."""
    values = MINIMAL
    for path, value in changes.items():
        values = with_value(values, path, value)
    text = notes(values)

    assert is_warned == ("WARNING: no lineage key is mounted" in text)
    assert is_warned == ("create secret generic pcc-training-job-lineage" in text)


def test_readme_install_command_renders():
    """The first command of the page is accepted unchanged, except for the cluster."""
    page = (CHART / "README.md").read_text()
    command = re.search(r"helm upgrade --install.*?(?=\nhelm test)", page, re.DOTALL)[0]
    assert "-n pcc" in command
    rendered = command.replace("upgrade --install", "template --kube-version 1.34.0")
    program("helm")
    done = subprocess.run(
        ["bash", "-c", rendered], cwd=CHART.parents[1], capture_output=True, text=True
    )

    assert 0 == done.returncode, done.stderr
    assert "CronJob" in {document["kind"] for document in yaml.safe_load_all(done.stdout)}
