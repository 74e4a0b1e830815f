"""The compose file does what its first lines say, and leaves nothing behind."""

import subprocess

import pytest
from support.containers import ROOT, docker

PROJECT = "pcc-training-job-demo"


def owned(kind):
    label = f"label=com.docker.compose.project={PROJECT}"
    return docker(kind, "ls", "--quiet", "--filter", label).stdout.split()


@pytest.fixture
def port(monkeypatch):
    """The demonstration's port may be in use on the testing machine."""
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("MINIO_PORT", str(free.getsockname()[1]))


def test_demo_publishes_fetches_and_cleans_up(docker_engine, port):
    done = subprocess.run(
        ["make", "compose-demo"], cwd=ROOT, capture_output=True, text=True, timeout=900
    )

    assert 0 == done.returncode, done.stderr[-3000:]
    assert '"outcome": "published"' in done.stdout
    assert '"path": "/models/v' in done.stdout
    assert [[], [], []] == [owned(kind) for kind in ("container", "volume", "network")]


def test_store_listens_on_loopback_alone(docker_engine):
    import yaml

    done = docker("compose", "-f", "docker/compose.yaml", "--profile", "consumer", "config")
    services = yaml.safe_load(done.stdout)["services"]
    ports = [port for service in services.values() for port in service.get("ports", ())]

    assert ["127.0.0.1"] == [port["host_ip"] for port in ports]
