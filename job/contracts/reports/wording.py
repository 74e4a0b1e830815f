"""The share of templates in a table, and how similar the evaluated rows are to training rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from job.contracts.reports.intervals import Interval

ItemKind = Literal["text", "embedding", "row"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupCounts:
    """Numbers of rows, groups and effective groups.

    Attributes
    ----------
    n_effective_groups
        Kish's effective number, `sum(n) ** 2 / sum(n ** 2)` over the groups' sizes n.
    """

    n_rows: int
    n_groups: int
    n_effective_groups: float

    def to_json(self) -> dict[str, Any]:
        """Return the three numbers, the last with one decimal."""
        return {
            "n_rows": self.n_rows,
            "n_groups": self.n_groups,
            "n_effective_groups": round(self.n_effective_groups, 1),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Templates:
    """The number and share of rows from sentence templates.

    Attributes
    ----------
    min_rows
        Minimum number of rows that make a group of near-duplicates a template.
    n_templates, share
        Number of templates, and their share of the table's rows in [0, 1].
    largest
        Shares of the table's rows in the largest groups of near-duplicates, largest first.
    is_templated
        Whether more than half of the rows come from templates.
    """

    min_rows: int
    n_templates: int
    share: float
    largest: tuple[float, ...]
    is_templated: bool

    def to_json(self) -> dict[str, Any]:
        """Return the counts and shares."""
        return {
            "min_rows": self.min_rows,
            "n_templates": self.n_templates,
            "share": round(self.share, 6),
            "largest": [round(share, 6) for share in self.largest],
            "is_templated": self.is_templated,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarityBin:
    """Evaluated rows whose similarity to the nearest training row is in [lower, upper).

    Attributes
    ----------
    accuracy
        None if the bin has no rows.
    interval
        Confidence interval of the accuracy over groups; None with too few groups.
    """

    lower: float
    upper: float
    n_rows: int
    n_groups: int
    accuracy: float | None = None
    interval: Interval | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the bin with its accuracy."""
        return {
            "lower": self.lower,
            "upper": self.upper,
            "n_rows": self.n_rows,
            "n_groups": self.n_groups,
            "accuracy": None if self.accuracy is None else round(self.accuracy, 6),
            "interval": None if self.interval is None else self.interval.to_json(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarityReport:
    """Accuracy by similarity to the nearest training row of the predicting model.

    Attributes
    ----------
    of
        Whether texts or embeddings were compared.
    n_items, n_sampled_items
        Distinct texts or embeddings among the evaluated rows, and how many were compared.
    n_trained_items, n_sampled_trained_items
        The same for the rows that the models were trained on, summed over the models.
    median
        Median similarity of the compared rows.
    new_below, n_new_rows, n_new_groups
        Rows with a similarity below `new_below` count as new wording.
    min_groups
        A bin with fewer groups has no interval.
    level
        Confidence level of the intervals.
    """

    of: Literal["text", "embeddings"]
    n_rows: int
    n_items: int
    n_sampled_items: int
    n_trained_items: int
    n_sampled_trained_items: int
    median: float
    new_below: float
    n_new_rows: int
    n_new_groups: int
    min_groups: int
    level: float
    bins: tuple[SimilarityBin, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the counts and the bins."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {
            **values,
            "median": round(self.median, 6),
            "bins": [similarity_bin.to_json() for similarity_bin in self.bins],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Standardization:
    """Whether columns of embeddings look standardized within the table.

    Attributes
    ----------
    n_rows
        Rows that were examined.
    mean_ratio
        Median over the columns of |mean| / standard deviation.
    scale_share
        Share of the columns with one of the two most common standard deviations.
    length_variation
        Standard deviation of the rows' lengths, divided by their mean.
    """

    n_rows: int
    mean_ratio: float
    scale_share: float
    length_variation: float
    is_standardized: bool

    def to_json(self) -> dict[str, Any]:
        """Return the figures with four decimals, and the conclusion."""
        figures = ("mean_ratio", "scale_share", "length_variation")
        return {
            "n_rows": self.n_rows,
            **{name: round(getattr(self, name), 4) for name in figures},
            "is_standardized": self.is_standardized,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """The wording of a table and of its evaluated rows.

    Attributes
    ----------
    items, n_items
        By what two rows count as equal, and the number of distinct items in the table.
    table, judged
        Counts of the whole table and of the evaluated rows.
    similarity
        None if the rows have neither texts nor embeddings.
    standardization
        None if the model takes no embeddings.
    """

    items: ItemKind
    n_items: int
    table: GroupCounts
    judged: GroupCounts
    templates: Templates
    similarity: SimilarityReport | None
    standardization: Standardization | None

    def to_json(self) -> dict[str, Any]:
        """Return the part `wording` of evaluation.json."""
        similarity, standardization = self.similarity, self.standardization
        return {
            "items": self.items,
            "n_items": self.n_items,
            "table": self.table.to_json(),
            "judged": self.judged.to_json(),
            "templates": self.templates.to_json(),
            "similarity": None if similarity is None else similarity.to_json(),
            "standardization": None if standardization is None else standardization.to_json(),
        }
