"""Write small model files by hand, and predict with the readers of `examples/readers`."""

import importlib.util
import json
import shutil
import subprocess

import numpy as np
from support.markdown import ROOT
from support.requirements import skip_without

READERS = ROOT / "examples/readers"
CODES = {"float64": "F64", "int64": "I64", "uint8": "U8"}


def load_python_reader():
    """Return the module of the Python reader."""
    spec = importlib.util.spec_from_file_location("pcc_model", READERS / "python/pcc_model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def predict_with_python(path, rows):
    """Return the probabilities that the Python reader computes, shape (n_rows, n_classes)."""
    return load_python_reader().load(path).predict_proba(rows)


def predict_with_javascript(path, rows):
    """Return the probabilities that the JavaScript reader computes, shape (n_rows, n_classes)."""
    (proba,) = run_javascript([(path, rows)])
    assert proba is not None, "the JavaScript reader refuses the file or the rows"
    return proba


def list_rows(X):
    """Return the rows of a model's input X as JSON values; missing cells are null."""
    if isinstance(X, list):
        return X
    if isinstance(X, np.ndarray):
        return X.tolist()
    return X.astype(object).where(X.notna(), None).to_dict("records")


def run_javascript(cases):
    """Read files and predict rows of JSON values, all in one process of Node.js.

    Returns
    -------
    probabilities
        For each pair of a path and rows: an array, or None if the reader refuses the pair.
    """
    if shutil.which("node") is None:
        skip_without("node", "Node.js is not installed")
    code = """
        import { readFileSync } from "node:fs";
        const { reader, cases } = JSON.parse(readFileSync(0, "utf8"));
        const { readModel } = await import(reader);
        const predict = ([path, rows]) => {
          try {
            return readModel(readFileSync(path)).predictProba(rows);
          } catch {
            return null;
          }
        };
        console.log(JSON.stringify(cases.map(predict)));
    """
    reader = (READERS / "javascript/pcc-model.mjs").as_uri()
    value = {"reader": reader, "cases": [(str(path), rows) for path, rows in cases]}
    done = subprocess.run(
        ["node", "--input-type=module", "--eval", code],
        input=json.dumps(value),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [None if rows is None else np.array(rows) for rows in json.loads(done.stdout)]


def write_model(path, *, blocks, head, link, input, classes=("a", "b", "c")):
    """Write a model file by hand, as docs/model-format.md describes it.

    Arrays are in the places that their names in the file state.
    """
    content = {
        "format": "pcc-plain-model",
        "format_version": 1,
        "input": input,
        "classes": list(classes),
        "decision_threshold": None,
        "blocks": blocks,
        "head": head,
        "link": link,
    }
    write_content(path, content)


def write_content(path, content):
    """Write any content, with its arrays, in the layout of a model file."""
    arrays = {}
    text = json.dumps(_without_arrays(content, "", arrays), ensure_ascii=False)
    header, end = {"__metadata__": {"model": text}}, 0
    for name, array in arrays.items():
        header[name] = {
            "dtype": CODES[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [end, end + array.nbytes],
        }
        end += array.nbytes
    raw = json.dumps(header, ensure_ascii=False).encode()
    raw += b" " * (-len(raw) % 8)
    data = b"".join(array.tobytes() for array in arrays.values())
    path.write_bytes(len(raw).to_bytes(8, "little") + raw + data)


def _without_arrays(value, path, arrays):
    if isinstance(value, np.ndarray):
        arrays[path.removeprefix("/")] = value
        return None
    if isinstance(value, dict):
        parts = {key: _without_arrays(part, f"{path}/{key}", arrays) for key, part in value.items()}
        return {key: part for key, part in parts.items() if not isinstance(value[key], np.ndarray)}
    if isinstance(value, (list, tuple)):
        return [_without_arrays(part, f"{path}/{n}", arrays) for n, part in enumerate(value)]
    return value


def join_terms(terms):
    """Return the bytes of a block's terms."""
    return np.frombuffer("\n".join(terms).encode(), np.uint8)
