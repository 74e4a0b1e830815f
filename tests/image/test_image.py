"""The content of the image: its settings, its files, its size."""

import gzip
import json
import re
import subprocess
from importlib.metadata import version

from support.containers import ROOT, docker

MB = 10**6
ENVIRONMENT = "/opt/pcc-job"
# every regular file of the image by the digest of its content, and every link by its target
DIGESTS = """
import hashlib, json, os
found = {}
for root, folders, files in os.walk("/"):
    if root == "/":
        folders[:] = [name for name in folders if name not in ("proc", "sys", "dev")]
    for name in [*folders, *files]:
        path = os.path.join(root, name)
        if os.path.islink(path):
            found[path] = os.readlink(path)
        elif os.path.isfile(path) and path not in ("/etc/hosts", "/etc/hostname", "/etc/resolv.conf"):
            found[path] = hashlib.sha256(open(path, "rb").read()).hexdigest()
        else:
            found[path] = "folder"
print(json.dumps(found))
"""
ROOT_USER = ("--user", "0")


def test_user_is_a_number_that_is_not_root(facts):
    """Kubernetes checks runAsNonRoot by number."""
    assert "65532:65532" == facts["Config"]["User"]


def test_command_is_the_entry_point(facts):
    assert ["pcc-job"] == facts["Config"]["Entrypoint"]


def test_batch_job_has_no_health_check(facts):
    assert facts["Config"].get("Healthcheck") is None


def test_labels_and_environment_name_the_revision(facts):
    assert "abc123" == facts["Config"]["Labels"]["org.opencontainers.image.revision"]
    assert "GIT_REVISION=abc123" in facts["Config"]["Env"]


def test_unpacked_size_is_at_most_650_mb(facts):
    assert facts["Size"] <= 650 * MB


def test_compressed_size_is_at_most_200_mb(image):
    n_bytes = 0
    with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as saved:

        class Counter:
            def write(self, data):
                nonlocal n_bytes
                n_bytes += len(data)

            def flush(self):
                pass

        with gzip.GzipFile(fileobj=Counter(), mode="wb", compresslevel=6) as packed:
            while chunk := saved.stdout.read(2**20):
                packed.write(chunk)

    assert n_bytes <= 200 * MB, f"{n_bytes / MB:.1f} MB"


def test_layers_hold_the_job_and_nothing_else(inside):
    """There is no build tool, test, cache or other file except those of the base image."""
    base = re.search(r"^ARG BASE=(.*)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)[1]
    theirs = inside(DIGESTS, *ROOT_USER, tag=base)
    ours = {
        path for path, digest in inside(DIGESTS, *ROOT_USER).items() if theirs.get(path) != digest
    }
    places = ("/opt/pcc-job", "/usr/share/pcc-job", "/models", "/data")
    site = f"{ENVIRONMENT}/lib/python3.13/site-packages"
    tools = tuple(f"{site}/{name}" for name in ("pip", "setuptools", "hatchling", "pytest", "ruff"))

    assert set() == {path for path in ours if not path.startswith(places)}
    assert {f"{ENVIRONMENT}/bin/pcc-job"} == {
        path for path in ours if path.startswith(f"{ENVIRONMENT}/bin/") and "python" not in path
    }
    assert set() == {path for path in ours if path.startswith(tools)}
    assert set() == {p for p in ours if p.endswith("/tests") and p != f"{site}/numpy/_core/tests"}


def test_every_module_is_compiled(inside):
    """With a read-only root, a container would compile it again at each start."""
    found = inside(DIGESTS, *ROOT_USER)
    sources = [
        path for path in found if path.startswith(f"{ENVIRONMENT}/lib") and path.endswith(".py")
    ]
    missing = []
    for path in sources:
        folder, _, name = path.rpartition("/")
        if f"{folder}/__pycache__/{name[:-3]}.cpython-313.pyc" not in found:
            missing.append(path)

    assert len(sources) > 1000
    assert [] == missing


def test_two_builds_have_the_same_content(image, inside):
    docker("build", "--quiet", "--no-cache", "--tag", f"{image}-again", ".")
    first, second = inside(DIGESTS, *ROOT_USER), inside(DIGESTS, *ROOT_USER, tag=f"{image}-again")
    docker("image", "rm", f"{image}-again")

    assert {} == {
        p: (first.get(p), second.get(p)) for p in first | second if first.get(p) != second.get(p)
    }


def test_list_of_what_is_inside_is_valid_and_complete(inside, tmp_path):
    """CycloneDX lists the locked packages, ours, and the base image's; the outer copy is equal."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    shipped = inside("print(open('/usr/share/pcc-job/sbom.cdx.json').read())")
    docker("build", "--quiet", "--target", "sbom", "--output", tmp_path, ".")
    names = {c["name"]: c["version"] for c in shipped["components"]}
    installed = inside(
        "import importlib.metadata as m, json;"
        "print(json.dumps({d.name: d.version for d in m.distributions()}))"
    )

    assert None is JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(shipped))
    assert {} == {n: v for n, v in installed.items() if names.get(n) != v and n != "pip"}
    assert version("scikit-learn") == names["scikit-learn"]
    assert "libc6" in names
    assert shipped == json.loads((tmp_path / "sbom.cdx.json").read_text())


def test_packages_are_those_of_the_lock(inside):
    installed = inside(
        "import importlib.metadata as m, json;"
        "print(json.dumps({d.name: d.version"
        " for d in m.distributions(path=['/opt/pcc-job/lib/python3.13/site-packages'])}))"
    )
    del installed["pcc-training-job"]
    lines = re.findall(r"^([^ ]+)==([^ ]+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    locked = {plain(name): version for name, version in lines}

    assert len(installed) > 30
    assert {} == {n: v for n, v in installed.items() if locked.get(plain(n)) != v}


def plain(name):
    """Normalize a package's name like the index does."""
    return re.sub(r"[-_.]+", "-", name).lower()
