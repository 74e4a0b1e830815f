"""Seeded damage to a store in a folder: what somebody who may write to it can do."""

import contextlib
import json
import os
import shutil
import socket
from datetime import UTC, datetime

from job.contracts.reports.manifest import FileEntry, Manifest
from job.registry.publish import name_version

VALUES = (
    *(None, True, -1, 0, 2**63, 10**400, 1e308, float("nan"), float("inf"), "", "\ud800", "a\nb"),
    *("../../outside", "/etc/passwd", "x" * 5000, [], {}, [[[]]], {"a": {}}, "v20260101_000000_x"),
)
CONTENTS = (
    *(b"", b"null", b"[]", b"7", b'"text"', b"\xff\xfe", b"{", b"\x00" * 100, b"\xef\xbb\xbf{}"),
    b"[" * 30_000 + b"]" * 30_000,
    b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    b'{"version": ' + b"9" * 10_000 + b"}",
    b'{"n": 1e999, "m": NaN, "k": -Infinity}',
    b'{"version": "\\ud800", "version": 2}',
    b'{"files": [' + b"{}," * 1000 + b"{}]}",
)
NAMES = (
    *("a/b/c.json", ".json", "x" * 250, "new\nline", "tab\t", "back\\slash", "ünïcode", "a b"),
    *("v20990101_000000_00000000/manifest.json", "channels/.json", "channels/a/b/c.json"),
    *("channels/latest.json", "channels/UPPER.json", "channels/production/history/9.json"),
    *("channels/production/history/" + "9" * 200 + ".json", "lineage/vx.npy", "removals/v/x"),
    *("channels/x.anchor.json", "channels/production.anchor.anchor.json", "runs/../x"),
)
HEADERS = (
    "{'descr': '|O', 'fortran_order': False, 'shape': (3,), }",
    "{'descr': '<u8', 'fortran_order': False, 'shape': (99999999999999,), }",
    "{'descr': '<u8', 'fortran_order': True, 'shape': (2, -1), }",
    "{'descr': " + "[" * 3000 + "]" * 3000 + ", 'fortran_order': False, 'shape': (1,), }",
    "{'descr': [" + "('a', '<u8')," * 900 + "], 'fortran_order': False, 'shape': (1,), }",
    "{'descr': '<u8', 'fortran_order': False, 'shape': (1" + "0" * 5000 + ",), }",
    "((((((((((((((",
    "{'descr': '''",
    "",
)


def list_files(store):
    """Return the regular files of a store, sorted."""
    found = (path for path in store.rglob("*") if not path.is_symlink() and path.is_file())
    return sorted(path for path in found if path.name != ".lock")


def make_array(header, rest=b"12345678"):
    """Return the bytes of a `.npy` file with this header."""
    text = header.encode()
    return b"\x93NUMPY\x01\x00" + (len(text) % 2**16).to_bytes(2, "little") + text + rest


def damage(random, store, outside):
    """Damage one file of the store; `outside` is a folder that links lead to."""
    path = random.choice(list_files(store))
    kind = random.choice([*KINDS])
    # an earlier damage can have left nothing that this one needs
    with contextlib.suppress(OSError, ValueError, TypeError, LookupError):
        KINDS[kind](random, path, store, outside)
    return f"{kind} {path.relative_to(store)}"


def _truncate(random, path, *_):
    os.truncate(path, random.randrange(path.stat().st_size))


def _flip(random, path, *_):
    data = bytearray(path.read_bytes())
    data[random.randrange(len(data))] ^= 1 << random.randrange(8)
    path.write_bytes(data)


def _replace_content(random, path, *_):
    path.write_bytes(random.choice(CONTENTS))


def _change_value(random, path, *_):
    """Replace one value, at any depth."""
    content = json.loads(path.read_bytes())
    places = _list_places(content)
    for _ in range(random.randint(1, 3)):
        holder, key = random.choice(places)
        if isinstance(holder, dict) and random.random() < 0.3:
            del holder[key]
        else:
            holder[key] = random.choice(VALUES)
    path.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n")


def _list_places(content):
    items = content.items() if isinstance(content, dict) else enumerate(content)
    places = []
    for key, value in items:
        places.append((content, key))
        if isinstance(value, dict | list):
            places += _list_places(value)
    return places


def _delete(_, path, *__):
    path.unlink()


def _swap(random, path, store, _):
    other = random.choice(list_files(store))
    first, second = path.read_bytes(), other.read_bytes()
    path.write_bytes(second)
    other.write_bytes(first)


def _add(random, path, store, _):
    name = random.choice(NAMES)
    place = random.choice([store / name, path.parent / name])
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(random.choice(CONTENTS))


def _add_undecodable(_, path, *__):
    path.with_name(os.fsdecode(b"\xff\xfe.json")).write_bytes(b"{}")


def _replace_kind(random, path, _, outside):
    """Put something other than a file in its place."""
    path.unlink()
    kinds = {
        "folder": path.mkdir,
        "pipe": lambda: os.mkfifo(path),
        "zeros": lambda: path.symlink_to("/dev/zero"),
        "file outside": lambda: path.symlink_to(outside / "secret.json"),
        "folder outside": lambda: path.symlink_to(outside),
        "nothing": lambda: path.symlink_to(path),
        "socket": lambda: _bind(path),
        "large": lambda: _make_sparse(path),
    }
    kinds[random.choice([*kinds])]()


def _bind(path):
    folder = os.open(path.parent, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"/proc/self/fd/{folder}/{path.name}")
    os.close(folder)


def _make_sparse(path, n_bytes=2**30):
    path.touch()
    os.truncate(path, n_bytes)


def _replace_folder(random, path, store, outside):
    """Put a link in the place of one of its folders."""
    folder = random.choice([p for p in path.parents if p != store and p.is_relative_to(store)])
    shutil.move(folder, outside / "moved")
    folder.symlink_to(random.choice([outside / "moved", outside]))


def _replace_array(random, path, store, _):
    arrays = sorted(store.glob("lineage/*.npy"))
    random.choice(arrays).write_bytes(make_array(random.choice(HEADERS)))


def _forge(random, path, store, outside):
    """Change a file of a version, and write its manifest anew."""
    versions = sorted(folder for folder in store.glob("v*") if folder.is_dir())
    folder = random.choice(versions)
    content = random.choice([p for p in folder.rglob("*.json") if p.name != "manifest.json"])
    random.choice([_change_value, _change_value, _replace_content])(random, content)
    write_manifest(folder)


def _forge_absence(random, path, store, outside):
    """Remove a file of a version, and write its manifest anew."""
    folder = random.choice(sorted(folder for folder in store.glob("v*") if folder.is_dir()))
    random.choice([p for p in list_files(folder) if p.name != "manifest.json"]).unlink()
    write_manifest(folder)


def _forge_manifest(random, path, store, _):
    """Write a manifest whose form is right, and whose entries are not."""
    folder = random.choice(sorted(store.glob("v*")))
    forge_manifest(random, folder)


KINDS = {
    "truncate": _truncate,
    "flip": _flip,
    "replace content": _replace_content,
    "change value": _change_value,
    "delete": _delete,
    "swap": _swap,
    "add": _add,
    "add undecodable": _add_undecodable,
    "replace kind": _replace_kind,
    "replace folder": _replace_folder,
    "replace array": _replace_array,
    "forge": _forge,
    "forge absence": _forge_absence,
    "forge manifest": _forge_manifest,
}


def write_manifest(folder, entries=None, **changes):
    """Write the manifest of a version's folder, from its files or from these entries."""
    path = folder / "manifest.json"
    before = json.loads(path.read_bytes())
    files = [p for p in sorted(folder.rglob("*")) if p.is_file() and p != path]
    measured = [FileEntry.of(p.relative_to(folder).as_posix(), p.read_bytes()) for p in files]
    known = {"copied_from": before.get("copied_from"), "run_id": before["run_id"]} | changes
    manifest = Manifest.of(
        changes.pop("version", folder.name),
        known["run_id"],
        measured if entries is None else entries,
        copied_from=known["copied_from"],
    )
    path.write_bytes(manifest.to_bytes())


def forge_manifest(random, folder):
    """Write a manifest that names other files, sizes, digests, runs or versions."""
    files = json.loads((folder / "manifest.json").read_bytes())["files"]
    for _ in range(random.randint(1, 3)):
        kind = random.randrange(6)
        entry = random.choice(files) if files else {"digest": f"sha256:{'0' * 64}"}
        if kind == 0:
            entry["n_bytes"] = random.choice([0, 1, 2**31, 2**40, 2**62])
        elif kind == 1:
            entry["name"] = random.choice([*NAMES, "../x", "/etc/passwd", "a//b", "a/../../b"])
        elif kind == 2:
            files.append({**entry, "n_bytes": 3, "name": random.choice(NAMES)})
        elif kind == 3:
            files = random.sample(files, random.randrange(len(files) + 1))
        elif kind == 4:
            files += [{**entry, "n_bytes": 1, "name": f"f{n}"} for n in range(5000)]
        else:
            entry["digest"] = f"sha256:{random.randbytes(32).hex()}"
    run_id = random.choice(["r1", "r2", "x", "../x"])
    changes = {} if random.random() < 0.7 else {"run_id": run_id}
    if random.random() < 0.1:
        changes["version"] = name_version(run_id, datetime(2026, 1, 1, tzinfo=UTC))
    write_manifest(folder, [FileEntry(**entry) for entry in files], **changes)
