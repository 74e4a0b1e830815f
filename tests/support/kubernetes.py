"""A namespace on a real Kubernetes cluster, a store in it, and an operator's commands."""

import json
import subprocess
import threading
import time
from contextlib import contextmanager
from pathlib import Path

from support.containers import ROOT
from support.servers import MINIO

CHART = ROOT / "charts/pcc-training-job"
ACCESS_KEY, SECRET_KEY = "cluster-operator", "canary-cluster-secret-0815"
SECONDS = 180
# the exit code of an error that a retry may solve, such as a store that does not answer in time
TRANSIENT = 75


def call(*command, check=True, given=None, timeout=600):
    """Run a program; return the completed process."""
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        input=given,
        timeout=timeout,
        cwd=ROOT,
    )
    assert not check or done.returncode == 0, (
        f"{command}: {done.stderr[-3000:]}{done.stdout[-2000:]}"
    )
    return done


class Namespace:
    """One namespace, accessed by kubectl and helm."""

    def __init__(self, name):
        self.name = name

    def kubectl(self, *arguments, **options):
        return call("kubectl", "--namespace", self.name, *arguments, **options)

    def helm(self, *arguments, **options):
        return call("helm", "--namespace", self.name, *arguments, **options)

    def get(self, *arguments):
        """Return objects as Kubernetes stores them; None if there are none."""
        done = self.kubectl("get", *arguments, "--ignore-not-found", "--output", "json")
        return json.loads(done.stdout) if done.stdout else None

    def items(self, *arguments):
        """Return the objects of a list; kubectl prints nothing for an empty list."""
        return (self.get(*arguments) or {"items": []})["items"]

    def apply(self, *manifests):
        items = {"apiVersion": "v1", "kind": "List", "items": list(manifests)}
        self.kubectl("apply", "--filename", "-", given=json.dumps(items))

    def start(self, release, name):
        """Start a run now, with the command from the chart's notes."""
        self.kubectl("create", "job", name, f"--from=cronjob/{release}-pcc-training-job")
        return name

    def pods(self, job):
        return self.items("pods", "--selector", f"batch.kubernetes.io/job-name={job}")

    def conditions(self, job):
        """Return the true conditions of the Job: `{type: reason}`."""
        status = self.get("job", job)["status"]
        conditions = status.get("conditions", ())
        return {c["type"]: c.get("reason") for c in conditions if c["status"] == "True"}

    def wait_for_end(self, job, seconds=SECONDS):
        """Wait until the Job has ended; return its conditions."""

        def ended():
            conditions = self.conditions(job)
            return conditions if {"Complete", "Failed"} & conditions.keys() else None

        return wait_until(ended, seconds, f"{job} never ended: {self.get('job', job)['status']}")

    def ending_of(self, job, condition="Complete", reason=None):
        """Wait until the Job has ended; return exit code and termination message of its last pod.

        The Job must have ended with this condition, for this reason if one is given.  On a busy
        machine, the store may not answer in time.  So the Job may have retried, but only after 75.
        """
        conditions, endings = self.wait_for_end(job), self.endings(job)
        assert condition in conditions, self.describe(job)
        assert reason in (None, conditions[condition]), self.describe(job)
        assert endings, self.describe(job)
        assert {code for code, _ in endings[:-1]} <= {TRANSIENT}, self.describe(job)
        return endings[-1]

    def describe(self, job):
        """Return the conditions of a Job, the endings of its pods, and the namespace's warnings."""
        warnings = [
            f"{event['involvedObject']['name']}: {event['reason']}: {event['message']}"
            for event in self.items("events", "--field-selector", "type=Warning")
        ]
        found = {
            "conditions": self.conditions(job),
            "endings": self.endings(job),
            "warnings": warnings[-20:],
        }
        return json.dumps(found, indent=1)

    def wait_for_event(self, job, event, seconds=SECONDS):
        """Wait until a pod of the Job has logged an event; return the pod's name."""

        def logged():
            for pod in self.pods(job):
                name = pod["metadata"]["name"]
                done = self.kubectl("logs", name, check=False)
                if f'"event": "{event}"' in done.stdout:
                    return name
            return None

        return wait_until(logged, seconds, f"no pod of {job} has logged {event}")

    @contextmanager
    def watching(self, pod):
        """Watch a pod that will be deleted; yield a function that waits for its exit code."""
        path = "jsonpath={.status.containerStatuses[0].state.terminated.exitCode}{'\\n'}"
        command = ["kubectl", "--namespace", self.name, "get", "pod", pod, "--watch", "-o", path]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            stop = threading.Timer(SECONDS, process.kill)
            stop.start()
            try:
                yield lambda: next(int(line) for line in process.stdout if line.strip())
            finally:
                stop.cancel()
                process.kill()

    def endings(self, job):
        """Return exit code and termination message of each terminated pod, oldest first."""
        endings = []
        for pod in sorted(self.pods(job), key=lambda p: p["metadata"]["creationTimestamp"]):
            for status in pod["status"].get("containerStatuses", ()):
                ended = status["state"].get("terminated")
                if ended:
                    endings.append((ended["exitCode"], ended.get("message", "")))
        return endings


def wait_until(probe, seconds, complaint):
    """Call `probe` repeatedly until it returns a true value; return that value."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = probe()
        if result:
            return result
        time.sleep(0.5)
    raise AssertionError(complaint)


@contextmanager
def forwarded(namespace, service, port):
    """Forward a local port to a Service of the cluster; yield the port."""
    command = ["kubectl", "--namespace", namespace.name, "port-forward", f"service/{service}"]
    with subprocess.Popen(
        [*command, f":{port}"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            line = process.stdout.readline()
            yield line.split(" -> ")[0].rpartition(":")[2]
        finally:
            process.kill()


def minio_manifests(certificates: Path | None = None):
    """Return the manifests of a MinIO with its Service; Pod Security `restricted` admits it."""
    labels = {"app": "minio"}
    arguments = ["server", "/data", *(("--certs-dir", "/certs") if certificates else ())]
    mounts, volumes = [{"name": "data", "mountPath": "/data"}], [{"name": "data", "emptyDir": {}}]
    manifests = []
    if certificates:
        mounts.append({"name": "certs", "mountPath": "/certs", "readOnly": True})
        volumes.append({"name": "certs", "secret": {"secretName": "minio-certs"}})
        names = ("public.crt", "private.key")
        texts = {name: (certificates / name).read_text() for name in names}
        meta = {"name": "minio-certs"}
        manifests.append(
            {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": texts}
        )
    container = {
        "name": "minio",
        "image": MINIO,
        "imagePullPolicy": "IfNotPresent",
        "args": arguments,
        "env": [
            {"name": "MINIO_ROOT_USER", "value": ACCESS_KEY},
            {"name": "MINIO_ROOT_PASSWORD", "value": SECRET_KEY},
        ],
        # without a request, the other pods leave it no CPU time, and runs cannot reach the store
        "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}},
        # by default, a Service loses its pod after three answers that take longer than a second
        "readinessProbe": {
            "httpGet": {
                "path": "/minio/health/ready",
                "port": 9000,
                "scheme": "HTTPS" if certificates else "HTTP",
            },
            "periodSeconds": 1,
            "timeoutSeconds": 10,
            "failureThreshold": 30,
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": mounts,
    }
    security = {
        "runAsNonRoot": True,
        "runAsUser": 1000,
        "fsGroup": 1000,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    pod = {
        "metadata": {"labels": labels},
        "spec": {"containers": [container], "volumes": volumes, "securityContext": security},
    }
    return [
        *manifests,
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "minio"},
            "spec": {"selector": {"matchLabels": labels}, "template": pod},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "minio"},
            "spec": {"selector": labels, "ports": [{"port": 9000}]},
        },
    ]
