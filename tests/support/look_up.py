"""The look-up attack: test guesses of what a table contains against the published files.

How it works
------------
1. A guess is a text, its normalized form, its template, a value of the group column, a word, an
   e-mail address or an id, and each form in which the job digests such a string.
2. Each guess is digested in every way that the code base knows, or that someone would try: with
   each prefix and public salt, without a key, and with keys that everyone knows.
3. A guess is confirmed if the first 64 bits of its digest occur in a file: as 8 bytes in either
   order at any position, as hexadecimal digits, or as a decimal number.
"""

import hashlib
import io
import pickle
import re

import joblib
import numpy as np

from job.contracts.lineage_key import LineageKey
from job.stages.data.leakage_keys import normalize, salted_digests
from job.stages.data.templates import make_template
from job.stages.lineage.keyed_digests import keyed_digests

PREFIXES = ("trained", "word", "group", "family", "side", "row", "label", "text", "")
PURPOSES = ("row", "word", "group", "content")
_EMAIL = re.compile(r"[\w.+-]+@[\w.-]+\w")
_WORD = re.compile(r"\w\w+")


def list_guesses(texts, others=()):
    """Return all guesses about a table: its texts, and strings of other columns."""
    found = set(map(str, others))
    for text in set(texts):
        found |= {text, *_EMAIL.findall(text), *_WORD.findall(text.lower())}
        found |= {normalize(text), make_template(text)}
    keys = {f"text:{guess}" for guess in found} | {f"group:{value}" for value in others}
    return sorted(found | keys)


def list_public_salts(metadata):
    """Return strings that a consumer reads in metadata.json, or in the code, and may try."""
    settings, lineage = metadata["settings"], metadata["lineage"]
    salts = ["", "pcc", "group errors", settings["split"]["salt"], metadata["run_id"]]
    salts += [metadata["model_version"], lineage["key_id"], metadata["data_digest"]]
    return sorted(set(salts))


def digest_in_all_ways(guesses, salts):
    """Yield 64-bit digests of all guesses in each way that needs no secret; shape (n_guesses,)."""
    encoded = [guess.encode("utf-8", "surrogatepass") for guess in guesses]
    for salt in salts:
        for prefix in PREFIXES:
            yield salted_digests(prefix, guesses, salt)
        yield _digest(encoded, lambda data, salt=salt: hashlib.sha256(salt.encode() + data))
    for key in {bytes(32), *(_stretch(salt) for salt in salts)}:
        for purpose in PURPOSES:
            yield keyed_digests(purpose, guesses, LineageKey(key))
    yield _digest(encoded, hashlib.md5)
    yield _digest(encoded, hashlib.sha1)
    for size in (8, 16, 32, 64):
        yield _digest(encoded, lambda data, size=size: hashlib.blake2b(data, digest_size=size))
    for purpose in PURPOSES:
        person = purpose.encode()
        yield _digest(encoded, lambda d, p=person: hashlib.blake2b(d, digest_size=8, person=p))


def _stretch(text):
    """Return a key of 32 bytes that is the text, filled up with zeros."""
    return text.encode()[:32].ljust(32, b"\0")


def _digest(encoded, function):
    digests = b"".join(function(data).digest()[:8] for data in encoded)
    return np.frombuffer(digests, ">u8").astype(np.uint64)


def read_numbers(files):
    """Return all 64-bit numbers that files contain in some form, sorted.

    `files` has the bytes of each file by its name; a model is read as its unpickled content, too.
    """
    contents = list(files.values())
    for name, data in files.items():
        if name.endswith(".joblib"):
            contents.append(pickle.dumps(joblib.load(io.BytesIO(data)), protocol=2))
    numbers = [_read_one(data) for data in contents]
    return np.unique(np.concatenate(numbers))


def _read_one(data):
    found = [np.array([], np.uint64)]
    if len(data) >= 8:
        windows = np.lib.stride_tricks.sliding_window_view(np.frombuffer(data, np.uint8), 8)
        windows = np.ascontiguousarray(windows)
        found += [windows.view(order).ravel().astype(np.uint64) for order in ("<u8", ">u8")]
    for run in re.findall(rb"[0-9a-fA-F]{16,}", data):
        parts = [run[start : start + 16] for start in range(len(run) - 15)]
        found.append(np.array([int(part, 16) for part in parts], np.uint64))
    decimals = [int(run) for run in re.findall(rb"\d{15,20}", data)]
    found.append(np.array([number for number in decimals if number < 2**64], np.uint64))
    return np.unique(np.concatenate(found))


def confirm(guesses, ways, numbers):
    """Return the guesses that one of the digests confirms; `numbers` are sorted."""
    is_found = np.zeros(len(guesses), bool)
    for digests in ways:
        nearest = np.searchsorted(numbers, digests).clip(max=len(numbers) - 1)
        is_found |= numbers[nearest] == digests
    return [guess for guess, hit in zip(guesses, is_found, strict=True) if hit]


def read_published(store):
    """Return what the consumer's role may read: versions and pointers, by name."""
    paths = [path for path in store.rglob("*") if path.is_file()]
    files = {str(path.relative_to(store)): path.read_bytes() for path in paths}
    prefixes = ("v", "channels/")
    return {name: data for name, data in files.items() if name.startswith(prefixes)}
