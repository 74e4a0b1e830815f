"""Rows that two implementations of a model may predict differently: strange texts and numbers."""

# ruff: noqa: RUF001  # letters that look alike are what the texts are for

from __future__ import annotations

from itertools import cycle, islice
from typing import Any, Final

import numpy as np
import pandas as pd

from job.contracts.arrays import Array
from job.model_form.block_forms import Block, CategoricalBlock, EmbeddingBlock, TermBlock
from job.model_form.form import EmbeddingInput, ModelForm, TextInput

_TEXTS: Final = (
    "",
    " ",
    "a",
    "A B c",
    "please delete my data",
    "PLEASE DELETE MY DATA!!",
    "İstanbul İPTAL ISPARTA ısı",
    "ΟΔΟΣ ΣΊΣΥΦΟΣ Σ ΣΑΣ. ΣΑΣ",
    "Straße STRASSE ẞ ﬁle",
    "cafe\u0301 cafe\u0301s na\u00efve",
    "हिन्दी में मेरा डेटा हटाएँ",
    "删除我的数据 请删除我的账户",
    "データを削除してください",
    "احذف بياناتي ١٢٣",
    "👩‍👩‍👧‍👦 delete 🗑️ me",
    "next\u0085line delete\u2028my\u2029data",
    "no\u00a0break\u202fspace ideographic\u3000space",
    "zero\u200bwidth \ufeffmark",
    "file\u001cgroup\u001drecord\u001eunit\u001fend",
    "tab\tdelete\r\nmy\x0bdata\x0c",
    "snake_case under__score _x_",
    "½ ² Ⅷ ㊿ 𝟙𝟚 ৪",
    "don't e-mail user@mail.example, call +1 (555) 010-0199",
    "𝒜𝓁𝓅𝒽𝒶 𐐀𐐁 ǅ",
    "delete my data " * 667,
)
_NUMBERS: Final = (np.nan, 0.0, -0.0, 1.0, -1.0, 0.1, 1e-30, -1e-30, 1e6, -1e30, 1e30, 3e38)
_LEVELS: Final = (None, np.nan, "", " ", "never seen", "__rare__", "__none__", "nan", "None", "İ")
_EMBEDDING_SCALES: Final = (0.0, 1e-20, 1e-3, 0.5, 0.97, 1.0, 1.03, 2.0, 1e3, 1e18)
_N_DIRECTIONS: Final = 4


def make_hard_rows(form: ModelForm) -> Any:
    """Return hard rows as an input X of the model: a list, a matrix or a DataFrame."""
    if isinstance(form.input, TextInput):
        return list(_TEXTS)
    if isinstance(form.input, EmbeddingInput):
        return _make_embeddings(form.input.width)
    n_rows = _N_DIRECTIONS * len(_EMBEDDING_SCALES)
    columns: dict[str, Any] = {name: np.zeros(n_rows) for name in form.input.names}
    for block in form.blocks:
        columns |= _make_columns(block, n_rows)
    return pd.DataFrame(columns)


def _make_columns(block: Block, n_rows: int) -> dict[str, Any]:
    """Return hard values of the columns that a block takes."""
    if isinstance(block, TermBlock):
        return {block.column or "": _repeat(_TEXTS, n_rows)}
    if isinstance(block, EmbeddingBlock):
        return dict(zip(block.names or (), _make_embeddings(block.n_given).T, strict=True))
    values = _LEVELS if isinstance(block, CategoricalBlock) else _NUMBERS
    shifted = (values[n % len(values) :] + values for n in range(len(block.names)))
    return {
        name: pd.Series(_repeat(start, n_rows), dtype=object if values is _LEVELS else float)
        for name, start in zip(block.names, shifted, strict=True)
    }


def _repeat(values: tuple[Any, ...], n_rows: int) -> list[Any]:
    return list(islice(cycle(values), n_rows))


def _make_embeddings(width: int) -> Array:
    """Return rows of several lengths in several directions, shape (n_rows, width)."""
    rng = np.random.default_rng(0)
    directions = rng.standard_normal((_N_DIRECTIONS, width))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    scaled: Array = np.vstack([scale * directions for scale in _EMBEDDING_SCALES])
    return scaled
