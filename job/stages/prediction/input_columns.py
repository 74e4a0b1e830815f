"""The columns of a table that the model of a version takes.

How it works
------------
1. The plain form says what the model takes: texts, embeddings, and columns by name.
2. The columns of the texts and embeddings have the names in the settings of the version's run, if
   the settings of this command do not name others.  Aliases of both settings apply.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from job.contracts.messages import quote, quote_list
from job.model_form.block_forms import EmbeddingBlock, TermBlock
from job.model_form.form import EmbeddingInput, ModelForm, TableInput, TextInput

if TYPE_CHECKING:
    from job.contracts.dataset import Kind
    from job.contracts.settings.dataset import DatasetSpec
    from job.stages.packaging.read_plain_form import PublishedModel

_KINDS: Final[Mapping[str, Kind]] = {
    "numeric": "number",
    "boolean": "boolean",
    "categorical": "string",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class InputColumns:
    """Names of the columns that a model takes, as in the settings.

    Attributes
    ----------
    text, embeddings
        None if the model takes none; `embeddings` can be a pattern `prefix*`.
    width
        Number of values of an embedding.
    typed
        Names and kinds of all other columns.
    id
        Column that is copied to the output; None without one.
    is_id_required
        Whether a table must have the column `id`, because the settings of the command name it.
    aliases
        Names in the settings, by the names in the file.
    """

    text: str | None
    embeddings: str | None
    width: int
    typed: Mapping[str, Kind]
    id: str | None
    is_id_required: bool
    aliases: Mapping[str, str]

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns that a table must have."""
        names = (self.text, self.embeddings, *self.typed, self.id if self.is_id_required else None)
        return tuple(name for name in names if name is not None)

    def describe(self) -> str:
        """Return what the model takes, such as `texts (column 'text')`."""
        parts = [] if self.text is None else [f"texts (column {quote(self.text)})"]
        if self.embeddings is not None:
            parts.append(f"embeddings of {self.width} values (column {quote(self.embeddings)})")
        if self.typed:
            parts.append(f"the columns {quote_list(list(self.typed))}")
        return " and ".join(parts) or "a table"


def find_input_columns(published: PublishedModel, spec: DatasetSpec) -> InputColumns:
    """Return the columns that a version takes, by the version's names or those in the settings."""
    form, settings = published.model.form, published.metadata.settings
    columns = _read_mapping(_read_mapping(settings, "dataset"), "columns")
    aliases = _read_mapping(_read_mapping(settings, "dataset"), "aliases")
    given = {
        role: getattr(spec.columns, role)
        for role in ("text", "embeddings", "id")
        if role in spec.columns.model_fields_set and getattr(spec.columns, role)
    }
    takes_text, width, typed = _list_parts(form)
    id_column = given.get("id", columns.get("id"))
    return InputColumns(
        text=str(given.get("text") or columns.get("text") or "text") if takes_text else None,
        embeddings=str(given.get("embeddings") or columns.get("embeddings") or "embeddings")
        if width
        else None,
        width=width,
        typed=typed,
        id=None if id_column is None else str(id_column),
        is_id_required="id" in given,
        aliases={**{k: str(v) for k, v in aliases.items()}, **spec.aliases},
    )


def _list_parts(form: ModelForm) -> tuple[bool, int, dict[str, Kind]]:
    """Return whether a model takes texts, the width of its embeddings, and its other columns."""
    if isinstance(form.input, TextInput):
        return True, 0, {}
    if isinstance(form.input, EmbeddingInput):
        return False, form.input.width, {}
    takes_text, width = False, 0
    typed: dict[str, Kind] = {}
    for block in form.blocks:
        if isinstance(block, TermBlock):
            takes_text = True
        elif isinstance(block, EmbeddingBlock):
            width = block.n_given
        else:
            typed |= dict.fromkeys(block.names, _KINDS[block.kind])
    assert isinstance(form.input, TableInput)
    in_order = {name: typed[name] for name in form.input.names if name in typed}
    return takes_text, width, in_order


def _read_mapping(content: Mapping[str, object], key: str) -> Mapping[str, object]:
    """Return a mapping of a version's settings, which any release may have written."""
    value = content.get(key)
    return value if isinstance(value, dict) else {}
