"""What an installed command needs, and which libraries it loads only when they are needed."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from support.markdown import ROOT, read_block
from support.requirements import skip_without

from job import __version__

LIST_VERSIONS = """
import json, re
from importlib.metadata import distributions
names = {re.sub("[-_.]+", "-", d.metadata["Name"]).lower(): d.version for d in distributions()}
print(json.dumps(names))
"""
HEAVY = ("pandas", "sklearn", "pyarrow", "great_expectations", "jinja2", "boto3")


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["run", "--help"], ["run", "--set", "x.y=1"], ["config", "show"]],
)
def test_light_commands_import_nothing_heavy(arguments, tmp_path):
    """Help, version and configuration errors appear without delay."""
    assert "[]" == run_listing_imports(arguments, tmp_path).stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "key", "scheme"),
    [
        (["run", "--dataset", "gs://bucket/table.csv"], "dataset.uri", "gs"),
        (["validate", "--dataset", "https://host/table.csv"], "dataset.uri", "https"),
        (["run", "--set", "dataset.test_uri=az://bucket/test.csv"], "dataset.test_uri", "az"),
        (["run", "--set", "expectations.suite=http://h/s.json"], "expectations.suite", "http"),
        (["run", "--store", "gs://bucket/models"], "store.uri", "gs"),
        (["models", "list", "--store", "ABFSS://bucket"], "store.uri", "ABFSS"),
    ],
)
def test_scheme_that_is_not_read_is_refused_at_once(arguments, key, scheme, tmp_path):
    """The message names the supported schemes; no data library is loaded, no folder created."""
    done = run_listing_imports(arguments, tmp_path)
    *_, line, imported = done.stderr.splitlines()
    reason = json.loads(line)["reason"]

    assert (2, "[]", []) == (done.returncode, imported, list(tmp_path.iterdir()))
    assert key in reason
    assert f"unsupported URI scheme '{scheme}'" in reason
    assert "expected a path, or a URI that starts with file:// or s3://" in reason


def run_listing_imports(arguments, folder):
    """Run the command line; the last line of its stderr lists the heavy packages it imported."""
    code = (
        "import sys; sys.argv = ['pcc-job', *sys.argv[1:]]\n"
        "from job.cli import main\n"
        "try: main()\n"
        f"finally: print([n for n in {HEAVY} if n in sys.modules], file=sys.stderr)"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """Build the wheel as the documentation says; without `make setup`, as it is done here."""
    folder = tmp_path_factory.mktemp("wheel")
    make, build = read_block("docs/installation.md", "wheel", "sh").splitlines()
    tool, *words = build.split()
    assert ("make setup", ".venv/bin/hatchling") == (make, tool)
    command = [sys.executable, "-m", "hatchling", *words[:-1], folder / words[-1]]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (folder / "requirements.lock").write_bytes((ROOT / "requirements.lock").read_bytes())
    return folder


@pytest.fixture
def type_(wheel, tmp_path):
    """Type a block of the page into a shell, in a folder with the wheel and the lock file."""
    (tmp_path / "dist").symlink_to(wheel / "dist")
    (tmp_path / "requirements.lock").symlink_to(wheel / "requirements.lock")
    own = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}

    def run(script, **environment):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=tmp_path,
            env={**own, **environment},
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert 0 == done.returncode, done.stderr[-3000:]
        return done.stdout

    return run


def test_pip_installs_the_lock_and_then_the_wheel(type_, tmp_path):
    """Nothing is downloaded: the new environment finds the locked packages of this one."""
    create, *install = read_block("docs/installation.md", "pip", "sh").splitlines()
    type_(create.replace("python3", f'"{sys.executable}"'))
    (site,) = (tmp_path / "pcc/lib").glob("python3*/site-packages")
    (site / "packages_of_the_tests.pth").write_text(sysconfig.get_path("purelib"))
    printed = type_("\n".join(install), PIP_NO_INDEX="1")
    where = type_("pcc/bin/python -P -c 'import job; print(job.__file__)'")

    assert f"pcc-job {__version__}" == printed.splitlines()[-1]
    assert Path(where.strip()).is_relative_to(site)


@pytest.mark.parametrize("installer", ["uv", "pipx"])
def test_installers_take_the_locked_versions(installer, type_, tmp_path):
    """They download packages, so the test runs only if PCC_TEST_REQUIRE asks for it."""
    if "installers" not in os.environ.get("PCC_TEST_REQUIRE", ""):
        pytest.skip("PCC_TEST_REQUIRE does not list `installers`, which download packages")
    if shutil.which(installer) is None:
        skip_without("installers", f"{installer} is not installed")
    folders = {
        **{"UV_TOOL_DIR": f"{tmp_path}/envs", "UV_TOOL_BIN_DIR": f"{tmp_path}/bin"},
        **{"PIPX_HOME": f"{tmp_path}/pipx", "PIPX_BIN_DIR": f"{tmp_path}/bin"},
    }
    type_(read_block("docs/installation.md", installer, "sh"), **folders)
    printed = type_("bin/pcc-job --version && bin/pcc-job sample-data s.parquet --rows 5")
    program = (tmp_path / "bin/pcc-job").resolve().with_name("python")
    versions = json.loads(type_(f"'{program}' -P -c '{LIST_VERSIONS}'"))
    # some packages have one version for each Python
    locked = re.findall(r"^([a-z0-9_.-]+)==(\S+)", read_lock(), re.MULTILINE)

    assert printed.startswith(f"pcc-job {__version__}\nwrote 5 synthetic rows")
    assert {"numpy", "pandas", "scikit-learn", "pyarrow"} <= versions.keys()
    others = {"pcc-training-job", "pip", "setuptools", "wheel"}
    assert set() == {(k, v) for k, v in versions.items() if k not in others} - set(locked)


def read_lock():
    return (ROOT / "requirements.lock").read_text()


def test_wheel_carries_the_suites_and_finds_them_from_any_folder(wheel, tmp_path, sample):
    """Installed without the checkout, `validate` finds its suite by name."""
    with zipfile.ZipFile(next(wheel.glob("dist/*.whl"))) as archive:
        archive.extractall(tmp_path / "site")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "job",
            "validate",
            "--dataset",
            sample,
            "--set",
            "dataset.min_rows=9",
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        text=True,
    )

    assert 0 == done.returncode, done.stderr
    assert (tmp_path / "site/job/expectations/curated_training_data.json").exists()
