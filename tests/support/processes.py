"""The command line in real processes, forked from one that has loaded all packages."""

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from pathlib import Path

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    [
        *("job.cli.run_job", "job.pipeline", "job.adapters.suites", "job.adapters.tables.parts"),
        *("job.adapters.rendering.renderer", "job.adapters.codecs.canonical_joblib"),
        *("job.adapters.stores.s3", "boto3"),
        # packages that these packages import lazily
        *("great_expectations", "job.cli.commands.app", "job.adapters.executors.local"),
        *(
            "job.adapters.stores.directory",
            "job.adapters.matrix_allocator",
            "job.adapters.host_limits",
        ),
    ]
)


class FunctionProcess:
    """A function in a separate process that has loaded the packages of the job."""

    def __init__(self, function, *arguments):
        self._process = _CONTEXT.Process(target=function, args=arguments)
        self._process.start()

    @property
    def pid(self):
        return self._process.pid

    def wait(self, timeout=180):
        """Return the exit code; negative for a signal."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            self._process.kill()
            self._process.join()
            raise AssertionError(f"the process does not end in {timeout} s")
        return self._process.exitcode


class JobProcess(FunctionProcess):
    """One run of the command line; its streams are files in `folder`."""

    def __init__(self, arguments, environment, folder):
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        super().__init__(_main, [str(a) for a in arguments], environment, str(folder))

    @property
    def stdout(self):
        return (self._folder / "stdout").read_text()

    @property
    def stderr(self):
        return (self._folder / "stderr").read_text()

    @property
    def result(self):
        return json.loads(self.stdout)


def run_command(arguments, folder, environment, timeout=300, prepare=None):
    """Run the command line to its end in `folder`, with only this environment.

    `prepare`, a function of a module, is called in the process first.
    """
    with tempfile.TemporaryDirectory() as streams:
        command = [str(a) for a in arguments]
        process = FunctionProcess(_run_alone, command, environment, str(folder), streams, prepare)
        try:
            code = process.wait(timeout)
        except AssertionError as error:
            stderr = Path(streams, "stderr").read_text()[-2000:]
            raise AssertionError(f"{error}: {stderr}") from None
        out, err = (Path(streams, name).read_text() for name in ("stdout", "stderr"))
    return subprocess.CompletedProcess(["pcc-job", *command], code, out, err)


def _run_alone(arguments, environment, folder, streams, prepare):
    os.environ.clear()
    if prepare is not None:
        prepare()
    _run(arguments, environment, folder, streams)


def _main(arguments, environment, folder):
    for name in [n for n in os.environ if n.startswith(("PCC_JOB_", "AWS_"))]:
        del os.environ[name]
    _run(arguments, environment, folder, folder)


def _run(arguments, environment, folder, streams):
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(Path(streams) / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["pcc-job", *arguments]
    from job.cli import main

    main()
