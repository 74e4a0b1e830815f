"""No published file confirms a guess about the table; the attack is in `support.look_up`."""

import io
import json

import numpy as np
import pytest
from support.look_up import (
    confirm,
    digest_in_all_ways,
    list_guesses,
    list_public_salts,
    read_numbers,
    read_published,
)
from support.small_runs import SmallRuns, write_letters

from job.contracts.lineage_key import LineageKey
from job.stages.data.leakage_keys import normalize, salted_digests
from job.stages.lineage.keyed_digests import keyed_digests
from job.stages.lineage.lineage_file import Lineage

KEY = LineageKey(bytes(range(50, 82)))
TABLE = write_letters().assign(customer=[f"customer-{row // 2}" for row in range(240)])
NEXT = write_letters(300).assign(customer=[f"customer-{row // 2}" for row in range(300)])


@pytest.fixture(scope="module")
def attacked(tmp_path_factory):
    """Two versions with texts, groups and cross-fitted scores; and all that an attacker guesses."""
    runs = SmallRuns(tmp_path_factory.mktemp("attacked"))
    sets = (
        "dataset.columns.group=customer",
        "features.use=[embeddings, text]",
        "evaluation.method=cross_fit",
        "gate.incomparable_champion=warn",
    )
    versions = [
        runs.publish(table, key=KEY.to_text(), sets=sets)["version"] for table in (TABLE, NEXT)
    ]
    salts = {
        salt
        for version in versions
        for salt in list_public_salts(
            json.loads((runs.store / version / "metadata.json").read_text())
        )
    }
    guesses = list_guesses(NEXT["text"], NEXT["customer"])
    return runs, versions, guesses, list(digest_in_all_ways(guesses, sorted(salts)))


def test_no_published_file_confirms_a_guess(attacked):
    """Not one of some thousand guesses; by chance, one in a million attacks would confirm one."""
    runs, versions, guesses, ways = attacked
    files = read_published(runs.store)
    numbers = read_numbers(files)

    assert 8000 < len(guesses)
    assert {*versions, "channels"} == {name.partition("/")[0] for name in files}
    assert len(guesses) * len(ways) * len(numbers) < 2**64 * 1e-6
    assert [] == confirm(guesses, ways, numbers)


@pytest.mark.parametrize("form", ["<u8", ">u8", "hex", "decimal"])
def test_unkeyed_digests_would_be_confirmed(attacked, form):
    """The attack works on what earlier releases published, in each form."""
    _, _, guesses, ways = attacked
    keys = [f"text:{normalize(text)}" for text in TABLE["text"]]
    digests = salted_digests("trained", keys, "pcc")
    if form in ("hex", "decimal"):
        write = "016x" if form == "hex" else "d"
        data = json.dumps([format(int(digest), write) for digest in digests]).encode()
    else:
        stream = io.BytesIO()
        np.save(stream, np.sort(digests).astype(form))
        data = stream.getvalue()

    found = confirm(guesses, ways, read_numbers({"training_keys.npy": data}))
    assert 0.9 * len(keys) <= len(found)
    assert {*found} <= {*keys}


def test_lineage_confirms_guesses_only_with_its_key(attacked):
    """Who can read `lineage/` and has no key learns no more than the consumer."""
    runs, versions, guesses, ways = attacked
    paths = [*(runs.store / "lineage").iterdir(), *runs.store.glob("runs/*/group_errors/*")]
    files = {str(path.relative_to(runs.store)): path.read_bytes() for path in paths}
    numbers = read_numbers(files)
    with_key = [keyed_digests(name, guesses, KEY) for name in ("row", "group")]
    found = confirm(guesses, with_key, numbers)
    lineage = Lineage.from_bytes(files[f"lineage/{versions[0]}.npy"])

    assert 6 == len(files)
    assert [] == confirm(guesses, ways, numbers)
    assert {f"group:{name}" for name in NEXT["customer"]} <= {*found}
    # texts of test rows are not stored if a group column gives the key
    assert 200 < len({f"text:{normalize(text)}" for text in NEXT["text"]} & {*found}) < len(NEXT)
    assert {*lineage.trained_on.tolist()} <= {*numbers.tolist()}
