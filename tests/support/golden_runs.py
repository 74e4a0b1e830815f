"""Runs of the sample table whose published files are stored in `tests/golden/published`.

`make golden` updates the stored files; `tests/e2e/test_golden_files.py` compares runs with them.
The numerical libraries of the runs choose the same code on every x86-64 machine, so published files
depend only on the table, the settings and the locked versions.
"""

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

TESTS = Path(__file__).parents[1]
GOLDEN = TESTS / "golden" / "published"
PYTHON = (3, 11)
# code that every x86-64 processor can run, for OpenBLAS, NumPy and the C library
BASELINE = {
    "OPENBLAS_CORETYPE": "Prescott",
    "NPY_DISABLE_CPU_FEATURES": "AVX512_SPR AVX512_ICL X86_V4 X86_V3",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX2,-FMA,-FMA4",
}

_FLOORS = "{accuracy: null, precision_macro: null, recall_macro: null, f1_macro: null}"
_SETTINGS = (
    "dataset.min_rows=100",
    f"gate={{floors: {_FLOORS}, margin: 0.5, latency_p95_ms: 1000000}}",
    "search.estimators={logistic_regression: {C: [1, 10]}, linear_svc: {C: [1]}}",
    "publish.channel=nightly",
    "evaluation.resamples=1000",
    "evaluation.cross_fit_folds=3",
)
_INPUTS = {
    "embeddings": ("features.use=[embeddings]",),
    "text": ("features.use=[text]",),
    "mixture": ("features.use=[embeddings, text, numeric, boolean]",),
}
_ENGINES = {
    "fast": ("search.engine=fast", "evaluation.method=cross_fit"),
    "reference": ("search.engine=reference", "evaluation.method=holdout"),
}
# the run after "mixture-fast", in its store, covers the remaining features of a run
_NEXT_NIGHT = (
    *_INPUTS["mixture"],
    *_ENGINES["reference"],
    "search.halving_factor=2",
    "evaluation.challenge_uri=../challenge.parquet",
    "evaluation.out_of_scope_uri=../challenge.parquet",
    "evaluation.label_issues=true",
    "gate.slice_floor=0.1",
    "gate.calibration_error=0.9",
    "drift.psi=0.001",
)
CASES = {
    **{
        f"{name}-{engine}": (*columns, *_ENGINES[engine])
        for name, columns in _INPUTS.items()
        for engine in _ENGINES
    },
    "mixture-next": _NEXT_NIGHT,
}
FILES = ("evaluation.json", "manifest.json", "metadata.json", "profile.json")

_RUN_SPECIFIC = {
    *("cpu", "git_revision", "packages", "platform", "python", "modified_at", "trained_at", "uri"),
    *("model_version", "version", "p50_ms", "p95_ms"),
}
# files whose bytes contain a time, a path or the version's name
_TIMED = {
    *("evaluation.json", "metadata.json", "validation.json", "report.html", "model_card.md"),
    # the only criterion of the gate that is a measured time
    "latency_p95_ms",
}
_FOLDER = re.compile(r"^/.*/(?=\w+\.parquet$)")
_VERSION = re.compile(r"v\d{8}_\d{6}_[0-9a-f]{8}")


def run_cases(folder, names=tuple(CASES)):
    """Run the cases in `folder`; return the masked text of published files, by case and file."""
    done = subprocess.run(
        [sys.executable, "-m", "support.golden_runs", str(folder), *names],
        env={**os.environ, **BASELINE, "PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return {name: _read(folder / name) for name in names}


def _read(version):
    folder = version.resolve()
    paths = {name: folder / name for name in FILES}
    paths["profile.json"] = folder.parent / "lineage" / f"{folder.name}.profile.json"
    files = {name: masked(json.loads(path.read_text())) for name, path in paths.items()}
    return {name: _dump(files[name]) for name in FILES}


def masked(value):
    """Return `value` without parts that differ between runs; floats have 12 significant digits."""
    if isinstance(value, dict):
        differs = _RUN_SPECIFIC
        if value.get("name") in _TIMED:
            differs = value.keys() - {"name"}
        return {k: "masked" if k in differs else masked(v) for k, v in value.items()}
    if isinstance(value, list):
        return [masked(item) for item in value]
    if isinstance(value, float):
        return float(f"{value:.12g}")
    if isinstance(value, str):
        return _FOLDER.sub("<folder>/", _VERSION.sub("<version>", value))
    return value


def _dump(value):
    """Return indented JSON with each array of numbers on one line."""
    text = json.dumps(value, indent=1, sort_keys=True)
    numbers = re.compile(r"\[[\s\d.,eE+\-]*\]")
    return numbers.sub(lambda match: re.sub(r"\s+", " ", match.group()), text) + "\n"


def _run_all(folder, names):
    import pyarrow.parquet as pq

    from job.samples import write_sample

    write_sample(folder / "all.parquet", n_rows=1000, seed=3, is_csv=False, projection_seed=3)
    table = pq.read_table(folder / "all.parquet")
    for name, start, n_rows in (("first", 0, 600), ("next", 300, 600), ("challenge", 900, 100)):
        pq.write_table(table.slice(start, n_rows), folder / f"{name}.parquet")
    first = [name for name in names if not name.endswith("-next")]
    with ThreadPoolExecutor(2) as pool:  # most of a run uses one thread
        list(pool.map(partial(_run, folder), first))
    for name in names:
        if name not in first:  # it needs the store of another run
            _run(folder, name)


def _run(folder, name):
    from support.processes import JobProcess

    from job.contracts.lineage_key import KEY_VARIABLE, LineageKey

    is_next = name.endswith("-next")
    words = [word for value in (*_SETTINGS, *CASES[name]) for word in ("--set", value)]
    table = "next" if is_next else "first"
    store = "mixture-fast" if is_next else name
    where = ("--dataset", folder / f"{table}.parquet", "--store", folder / "stores" / store)
    streams = folder / f"{name}.out"
    key = {KEY_VARIABLE: LineageKey(bytes(32)).to_text()}
    job = JobProcess(("run", *where, "--run-id", f"golden-{name}", *words), key, streams)
    assert job.wait() == 0, f"{name}: {job.stderr[-3000:]}"
    (folder / name).symlink_to(f"stores/{store}/{job.result['version']}")


if __name__ == "__main__":
    if sys.argv[1] == "--renew":
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            for name, files in run_cases(Path(folder)).items():
                (GOLDEN / name).mkdir(parents=True, exist_ok=True)
                for file, text in files.items():
                    (GOLDEN / name / file).write_text(text)
    else:
        _run_all(Path(sys.argv[1]), sys.argv[2:])
