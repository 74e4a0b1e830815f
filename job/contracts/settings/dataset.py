"""Settings of the table: its location and the roles of its columns."""

from dataclasses import dataclass
from typing import Literal

from pydantic import Field, field_validator, model_validator

from job.contracts.messages import quote_list
from job.contracts.settings.addresses import require_readable
from job.contracts.settings.base import Spec


class ColumnsSpec(Spec):
    """Roles of the columns."""

    target: str = Field(
        "intent",
        description="Column with the label. If a table other than the upstream's lacks the default "
        "column of label, text, embeddings or time, the job finds the column by its name and "
        "cells; `pcc-job init` shows what it finds.",
    )
    text: str | None = Field(
        "text", description="Column with the text. Unset: the table has no text."
    )
    embeddings: str | None = Field(
        "embeddings",
        description="Column with the embedding: a list, or a list as JSON text. If each dimension "
        "has its own column: `prefix*`, for columns named `prefix` and a number. Unset: the table "
        "has no embeddings.",
    )
    numeric: tuple[str, ...] = Field(
        ("confidence", "text_length", "word_count", "formality_score", "urgency_score"),
        description="Numeric columns.",
    )
    categorical: tuple[str, ...] = Field((), description="Categorical columns.")
    boolean: tuple[str, ...] = Field(("has_personal_info",), description="Boolean columns.")
    timestamp: str | None = Field(
        "timestamp", description="Column with the time of the row. Unset: no such column."
    )
    id: str | None = Field(
        None,
        description="Column with the identifier of the row, for `label_issues.json`. Unset: this "
        "file has only row numbers.",
    )
    group: str | None = Field(
        None,
        description="Column with the group of the row. Rows of one group stay on the same side of "
        "every split. Unset: no such column.",
    )

    @model_validator(mode="after")
    def _one_role_each(self) -> "ColumnsSpec":
        """Require that no column is used as two features, or as a feature and the target."""
        listed = (*self.numeric, *self.categorical, *self.boolean)
        single = {"target": self.target, "text": self.text, "embeddings": self.embeddings}
        names = [*listed, *(name for name in single.values() if name is not None)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(
                f"columns with more than one role: {quote_list(twice)}; expected one role each"
            )
        others = {"timestamp": self.timestamp, "id": self.id, "group": self.group}
        if self.target in others.values():
            raise ValueError(
                "the target column must not also be the timestamp, the id or the group"
            )
        roles = {role for role, name in (single | others).items() if name is not None}
        taken = sorted(roles & set(listed))
        if taken:
            raise ValueError(
                f"feature columns have reserved names: {quote_list(taken)}; rename them with "
                "dataset.aliases"
            )
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all columns that have a role."""
        single = (self.target, self.text, self.embeddings, self.timestamp, self.id, self.group)
        listed = (*self.numeric, *self.categorical, *self.boolean)
        return (*(name for name in single if name is not None), *listed)

    @property
    def sliceable(self) -> tuple[str, ...]:
        """Names of the columns whose values can define slices; id and group are excluded."""
        names = (*self.categorical, *self.boolean, self.text, self.timestamp)
        return tuple(n for n in names if n is not None and n not in (self.id, self.group))


def show_delimiter(delimiter: str) -> str:
    """Return the delimiter of a CSV file as messages show it."""
    return "a tab" if delimiter == "\t" else f"'{delimiter}'"


class CsvSpec(Spec):
    """How CSV files are written; each setting applies to all CSV files that the job reads."""

    delimiter: Literal["auto", ",", ";", "tab", "|"] = Field(
        "auto",
        description="Character between two cells of a CSV file: `,`, `;`, `tab` or `|`. `auto`: "
        "found for each file by the header and the first rows; a tab for `.tsv` files, and a comma "
        "in doubt.",
    )
    encoding: Literal["auto", "utf-8", "utf-16", "windows-1252", "latin-1"] = Field(
        "auto",
        description="Encoding of a CSV file: `utf-8`, `utf-16`, `windows-1252` or `latin-1`. "
        "`auto`: UTF-16 if the file begins with its byte order mark, otherwise UTF-8.",
    )
    escape: Literal["auto", "none", "backslash"] = Field(
        "auto",
        description="How a quote in a quoted cell of a CSV file is written. `none`: it is doubled. "
        "`backslash`: a backslash precedes it, as Spark writes it. `auto`: `backslash` if the "
        "quotes at the beginning of the file can only be read so, otherwise `none`; a file that "
        "shows it later is refused.",
    )
    decimal: Literal[".", ","] = Field(
        ".", description="Character before the decimals of the numbers in CSV files: `.` or `,`."
    )
    thousands: Literal["none", ",", ".", "space", "apostrophe"] = Field(
        "none",
        description="Character between the thousands of the numbers in CSV files: `none`, `,`, "
        "`.`, `space` (also a no-break space) or `apostrophe`. It is removed only where each group "
        "has three digits.",
    )

    @field_validator("delimiter", mode="before")
    @classmethod
    def _name_tab(cls, value: object) -> object:
        return "tab" if value in ("\t", r"\t") else value

    @field_validator("thousands", mode="before")
    @classmethod
    def _name_separator(cls, value: object) -> object:
        if value == " ":
            return "space"
        return "apostrophe" if value == "'" else value

    @model_validator(mode="after")
    def _separators_differ(self) -> "CsvSpec":
        if self.decimal == self.thousands:
            raise ValueError(
                "dataset.csv.decimal and dataset.csv.thousands must be different characters"
            )
        return self

    @property
    def has_own_numbers(self) -> bool:
        """Whether numbers are written in another notation than that of programs."""
        return self.decimal != "." or self.thousands != "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLimits:
    """Limits of a file: its columns, and its decoded size as a multiple of its size."""

    max_columns: int = 10_000
    max_expansion: int = 200


class DatasetSpec(Spec):
    """Location and limits of the curated table."""

    uri: str | None = Field(
        None,
        min_length=1,
        description="Table to train on: a CSV or Parquet file, a folder of such files, or "
        "`s3://bucket/key`. Unset: `/data/curated_training_data.parquet`, or `.csv` if that does "
        "not exist.",
    )
    test_uri: str | None = Field(
        None,
        min_length=1,
        description="Official test table, used as the hold-out. Unset: the hold-out is split off "
        "from the table.",
    )

    @field_validator("uri", "test_uri")
    @classmethod
    def _is_readable(cls, value: str | None) -> str | None:
        return None if value is None else require_readable(value)

    min_rows: int = Field(
        5000,
        ge=1,
        description="Minimum number of rows of the training table, checked by the expectation "
        "suite. The default shown is for the upstream's table; for any other table it is 50.",
    )
    max_rows: int = Field(
        1_000_000,
        ge=1,
        description="Maximum number of rows of a table. A table with more is refused before it is "
        "read, or as soon as that many rows were read.",
    )
    max_cell_bytes: int = Field(
        2**20,
        ge=1,
        description="Maximum size of a text cell in bytes of UTF-8, such as a text, a label, or an "
        "embedding as JSON. A table with a larger cell is refused as unreadable.",
    )
    max_columns: int = Field(
        10_000,
        ge=1,
        description="Maximum number of columns of a file. A table with more is refused as "
        "unreadable, before its rows are read.",
    )
    max_expansion: int = Field(
        200,
        ge=1,
        description="Maximum ratio of the decoded size of a file to its size, once the decoded "
        "size exceeds 64 MiB. A file that expands further is refused as unreadable.",
    )
    embeddings_standardized_per_batch: bool | None = Field(
        None,
        description="Whether the program that writes the embeddings standardizes each batch on its "
        "own rows. If true, the model is also evaluated on batches with a different class mix that "
        "are standardized in this way. If `features.geometry` also restores embeddings to length "
        "1, the estimator `prototypes` is trained to handle these batches. Unset: the value in "
        "`meta` of the expectation suite, otherwise detected from the means and deviations of the "
        "columns.",
    )
    aliases: dict[str, str] = Field(
        default_factory=dict,
        description="Names of renamed columns, as `{name in the file: name used in the settings}`.",
    )
    columns: ColumnsSpec = Field(default_factory=ColumnsSpec, description="Roles of the columns.")
    csv: CsvSpec = Field(default_factory=CsvSpec, description="How CSV files are written.")

    @property
    def limits(self) -> "ReadLimits":
        """The limits of a file that hold before its rows are read."""
        return ReadLimits(max_columns=self.max_columns, max_expansion=self.max_expansion)

    @property
    def known_names(self) -> frozenset[str]:
        """All names of columns that these settings state, in the file and in the settings."""
        return frozenset({*self.columns.names, *self.aliases, *self.aliases.values()})

    @model_validator(mode="after")
    def _bounds_agree(self) -> "DatasetSpec":
        if self.max_rows < self.min_rows:
            raise ValueError("dataset.max_rows must not be less than dataset.min_rows")
        return self
