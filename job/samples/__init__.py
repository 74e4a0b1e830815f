"""Write a synthetic table in the format of the upstream, to try the job without real data."""

from __future__ import annotations

import itertools
import random
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from job.contracts.shown_names import SAMPLE_DESCRIPTION, SAMPLE_EMBEDDING_MODEL
from job.errors import ConfigurationError
from job.samples.files import write_csv, write_parquet

if TYPE_CHECKING:
    import numpy as np

    from job.contracts.arrays import Floats32

WIDTH: Final = 584
DEFAULT_SEED: Final = 7
_N_HASHED: Final = 4096
_NOTES: Final = {
    "description": SAMPLE_DESCRIPTION,
    "embedding_model": SAMPLE_EMBEDDING_MODEL,
}
_SLOTS: Final = {
    "opener": [
        "Hi",
        "Hello",
        "Dear team",
        "To whom it may concern",
        "Good morning",
        "Hey",
        "Please",
    ],
    "data": [
        "my data",
        "my personal data",
        "my account",
        "my profile",
        "my purchase history",
        "my location history",
        "my messages",
        "my photos",
        "my contact details",
        "my records",
    ],
    "firm": ["your company", "your app", "your shop", "this service", "your website", "your team"],
    "law": [
        "under the GDPR",
        "under the CCPA",
        "as the law allows",
        "as is my right",
        "please",
        "",
    ],
    "when": ["today", "this week", "as soon as possible", "within a month", "when you can", ""],
    "channel": [
        "emails",
        "newsletters",
        "text messages",
        "phone calls",
        "adverts",
        "push messages",
    ],
    "third": ["partners", "advertisers", "third parties", "other firms", "data brokers"],
    "thing": ["parcel", "invoice", "password", "delivery", "subscription", "refund", "voucher"],
    "close": ["Thanks", "Regards", "Many thanks", "Kind regards", "Waiting for your answer", ""],
}
_PHRASES: Final = {
    "privacy_request": [
        "send me a copy of {data} that {firm} holds {law}",
        "which of {data} do you keep {law}",
        "who at {firm} can see {data}",
        "I want to know why {firm} stores {data}",
        "tell me with which {third} you share {data}",
        "give me access to {data} {when}",
        "correct {data}, it is out of date {law}",
        "how long does {firm} keep {data}",
    ],
    "data_deletion": [
        "delete {data} {when} {law}",
        "erase {data} from {firm} {when}",
        "I want {data} removed from {firm} {law}",
        "close and wipe {data} {when}",
        "forget everything about me, {data} too {law}",
        "destroy all copies of {data} {when}",
        "make sure that {firm} no longer holds {data}",
    ],
    "opt_out": [
        "stop sending me {channel} {when}",
        "unsubscribe me from all {channel} {law}",
        "do not sell {data} to {third} {law}",
        "I object to {channel} from {firm}",
        "take me off the list for {channel} {when}",
        "do not share {data} with {third}",
        "I withdraw my consent to {channel} {when}",
    ],
    "other": [
        "where is my {thing}, it is late",
        "how do I change my {thing} {when}",
        "my {thing} from {firm} is wrong",
        "does {firm} open on Sunday",
        "I cannot find my {thing} {when}",
        "please call me about the {thing}",
        "your {channel} say my {thing} is ready, is it",
        "what does the {thing} cost {when}",
    ],
}
_AMBIGUOUS: Final = [
    "I am done with {firm}, sort out {data} {when}",
    "about {data}: please act {law}",
    "no more of this from {firm} {when}",
    "what happens to {data} when I leave",
    "I do not want {firm} to have {data}",
    "I wrote about {channel} and {data} before",
]
_LABELS: Final = ("data_deletion", "opt_out", "other", "privacy_request")
_URGENT: Final = ("today", "soon", "week")


def write_sample(
    path: Path, *, n_rows: int, seed: int, is_csv: bool, projection_seed: int = DEFAULT_SEED
) -> None:
    """Write synthetic texts of the four intents with metadata and embeddings.

    Samples of different seeds have different rows, and embeddings of the same projection, so that
    models of both can be compared.

    The table is described in the metadata of the Parquet file, or in `<name>.metadata.json` next to
    the CSV file.

    The texts come from a grammar with slots, typos and ambiguous cases, so that a model without
    leakage does not reach 1.0.  The embeddings are a seeded random projection of hashed n-grams
    (Achlioptas 2003), not the output of a language model.

    Raises
    ------
    ConfigurationError
        The file cannot be written.
    """
    import numpy as np
    import pyarrow as pa

    rng = random.Random(seed)  # noqa: S311
    rows = [_row(rng, number) for number in range(n_rows)]
    table = pa.Table.from_pylist(rows)
    matrix = _embed(table["text"].to_pylist(), np.random.default_rng(projection_seed))
    model = f"{_NOTES['embedding_model']}, seed {projection_seed}"
    notes = {**_NOTES, "embedding_model": model, "seed": str(seed)}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if is_csv:
            write_csv(path, table, matrix, notes)
        else:
            write_parquet(path, table, matrix, notes)
    except OSError as error:
        raise ConfigurationError(
            f"'{path}' cannot be written", hint="choose a folder that this user can write to"
        ) from error


def _row(rng: random.Random, number: int) -> dict[str, object]:
    label = rng.choice(_LABELS)
    is_ambiguous = rng.random() < 0.06
    phrase = rng.choice(_AMBIGUOUS if is_ambiguous else _PHRASES[label])
    middle = phrase.format(**{slot: rng.choice(words) for slot, words in _SLOTS.items()})
    parts = (rng.choice(_SLOTS["opener"]) + ",", middle.strip() + ".", rng.choice(_SLOTS["close"]))
    text = _add_typos(rng, " ".join(" ".join(parts).split()))
    is_urgent = any(word in text for word in _URGENT)
    return {
        "text": text,
        "intent": label,
        "confidence": round(rng.uniform(0.5, 0.7) if is_ambiguous else rng.uniform(0.75, 1), 3),
        "timestamp": datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)
        + timedelta(minutes=17 * number, seconds=rng.randrange(60)),
        "text_length": len(text),
        "word_count": len(text.split()),
        "has_personal_info": rng.random() < 0.2,
        "formality_score": round(rng.random(), 3),
        "urgency_score": round(min(1.0, rng.random() / 2 + is_urgent / 2), 3),
    }


def _add_typos(rng: random.Random, text: str) -> str:
    letters = list(text)
    for _ in range(rng.choice((0, 0, 1, 2))):
        position = rng.randrange(len(letters) - 1)
        if rng.random() < 0.5:
            letters[position], letters[position + 1] = letters[position + 1], letters[position]
        else:
            del letters[position]
    return "".join(letters)


def _embed(texts: list[str], rng: np.random.Generator) -> Floats32:
    import numpy as np
    from scipy import sparse

    indices: list[int] = []
    bounds = [0]
    for text in texts:
        words = text.lower().split()
        grams = [*words, *(" ".join(pair) for pair in itertools.pairwise(words))]
        grams += [text.lower()[i : i + 4] for i in range(len(text) - 3)]
        indices.extend(zlib.crc32(gram.encode()) % _N_HASHED for gram in grams)
        bounds.append(len(indices))
    counts = sparse.csr_matrix(
        (np.ones(len(indices)), indices, bounds), shape=(len(texts), _N_HASHED)
    )
    signs = rng.choice((-1.0, 1.0), size=(_N_HASHED, WIDTH))
    matrix = counts @ signs
    unit: Floats32 = (matrix / np.linalg.norm(matrix, axis=1, keepdims=True)).astype(np.float32)
    return unit
