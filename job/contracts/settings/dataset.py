"""Settings of the table: where it is, and which column has which role."""

from pydantic import Field, field_validator, model_validator

from job.contracts.messages import quote_list
from job.contracts.settings.addresses import require_readable
from job.contracts.settings.base import Spec


class ColumnsSpec(Spec):
    """Which column plays which role."""

    target: str = Field("intent", description="Column with the label.")
    text: str | None = Field("text", description="Column with the text; null for none.")
    embeddings: str | None = Field(
        "embeddings",
        description="Column with the embedding (list or JSON text), or `prefix*` for wide columns "
        "that end in a number.",
    )
    numeric: tuple[str, ...] = Field(
        ("confidence", "text_length", "word_count", "formality_score", "urgency_score"),
        description="Columns with numbers.",
    )
    categorical: tuple[str, ...] = Field((), description="Columns with categories.")
    boolean: tuple[str, ...] = Field(("has_personal_info",), description="Columns with true/false.")
    timestamp: str | None = Field("timestamp", description="Column with the time of the row.")
    id: str | None = Field(None, description="Column with the row's identifier.")
    group: str | None = Field(
        None, description="Column whose equal values must stay on one side of every split."
    )

    @model_validator(mode="after")
    def _one_role_each(self) -> "ColumnsSpec":
        """Require that a column is at most one feature, and not also the target."""
        listed = (*self.numeric, *self.categorical, *self.boolean)
        single = {"target": self.target, "text": self.text, "embeddings": self.embeddings}
        names = [*listed, *(name for name in single.values() if name is not None)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{quote_list(twice)} cannot have more than one role")
        others = {"timestamp": self.timestamp, "id": self.id, "group": self.group}
        if self.target in others.values():
            raise ValueError("the target cannot also be the timestamp, the id or the group")
        roles = {role for role, name in (single | others).items() if name is not None}
        taken = sorted(roles & set(listed))
        if taken:
            raise ValueError(
                f"{quote_list(taken)} is the name of a role; rename the column with dataset.aliases"
            )
        return self

    @property
    def sliceable(self) -> tuple[str, ...]:
        """Columns that the hold-out may be sliced by; an id or a group is not one of them."""
        names = (*self.categorical, *self.boolean, self.text, self.timestamp)
        return tuple(n for n in names if n is not None and n not in (self.id, self.group))


class DatasetSpec(Spec):
    """Where the curated table is and how it is read."""

    uri: str | None = Field(
        None,
        min_length=1,
        description="Curated table, CSV or Parquet, a file or folder of parts, or `s3://`; unset: "
        "`/data/curated_training_data.parquet`, else `.csv`.",
    )
    test_uri: str | None = Field(
        None, min_length=1, description="Official test table, used as the hold-out."
    )

    @field_validator("uri", "test_uri")
    @classmethod
    def _is_readable(cls, value: str | None) -> str | None:
        return None if value is None else require_readable(value)

    min_rows: int = Field(5000, ge=1, description="Fewest rows the training table may have.")
    max_rows: int = Field(1_000_000, ge=1, description="Most rows the training table may have.")
    embeddings_standardized_per_batch: bool | None = Field(
        None,
        description="Whether whoever makes the embeddings standardizes their columns anew for each "
        "batch; then the model is also measured on such batches of another class mix, and "
        "prototypes on restored embeddings bear them. Unset: what `meta` of the expectation suite "
        "states, else what the table's columns look like.",
    )
    aliases: dict[str, str] = Field(
        default_factory=dict, description="Renamed columns: `{name in the file: name used here}`."
    )
    columns: ColumnsSpec = Field(default_factory=ColumnsSpec, description="Column roles.")

    @model_validator(mode="after")
    def _bounds_agree(self) -> "DatasetSpec":
        if self.max_rows < self.min_rows:
            raise ValueError("dataset.max_rows is less than dataset.min_rows")
        return self
