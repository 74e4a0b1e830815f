"""Change the files of a published version as somebody would who may write to the store."""

import json
from pathlib import Path

from job.contracts.identity import Digest, canonical_json


def forge(folder: Path, name: str, data: bytes) -> None:
    """Replace a file of a version, and let metadata.json and the manifest agree with it."""
    (folder / name).write_bytes(data)
    metadata = json.loads((folder / "metadata.json").read_text())
    _describe(metadata["model_files"], name, data)
    content = canonical_json(metadata)
    (folder / "metadata.json").write_bytes(content)
    manifest = json.loads((folder / "manifest.json").read_text())
    _describe(manifest["files"], name, data)
    _describe(manifest["files"], "metadata.json", content)
    (folder / "manifest.json").write_bytes(canonical_json(manifest))


def make_earlier_release(folder: Path) -> None:
    """Remove what earlier releases did not publish: the plain form, and `model_files`."""
    (folder / "model.safetensors").unlink()
    metadata = json.loads((folder / "metadata.json").read_text())
    del metadata["model_files"]
    content = canonical_json(metadata)
    (folder / "metadata.json").write_bytes(content)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"] = [e for e in manifest["files"] if e["name"] != "model.safetensors"]
    _describe(manifest["files"], "metadata.json", content)
    (folder / "manifest.json").write_bytes(canonical_json(manifest))


def _describe(entries, name, data):
    """Set the size and the digest in the entry of a file."""
    [entry] = [entry for entry in entries if entry["name"] == name]
    entry |= {"n_bytes": len(data), "digest": str(Digest.of(data))}
