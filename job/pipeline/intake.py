"""Read and validate the tables of a run; `pcc-job validate` runs only these steps.

How it works
------------
1. Before a table is read, `check_request` raises for settings that are invalid for every table.
2. Each table (training, official test) is ingested and validated; only its valid rows are kept.
3. The challenge set and the out-of-scope set are read and checked, if they are configured.
4. Afterwards, `find_near_duplicates` groups near-duplicates across the table, the official test
   and the challenge set, so that a split can keep a group together.  Then the persons are numbered,
   and rows are sliced by values that enough persons share.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
import structlog

from job.contracts.arrays import Mask
from job.contracts.dataset import Dataset, Rows
from job.contracts.reports.validation import ValidationReport
from job.contracts.settings.job_settings import JobSettings
from job.contracts.shown_names import MIN_HOLDERS
from job.contracts.suites import Suite
from job.pipeline.batches import check_stress_floor
from job.pipeline.challenge import load_challenge
from job.pipeline.out_of_scope import load_out_of_scope
from job.pipeline.run_context import RunContext
from job.stages.data.ingest import ingest
from job.stages.data.persons import number_persons
from job.stages.data.rows import make_rows
from job.stages.data.slices import DisclosureRule, make_slices
from job.stages.data.suite_binding import parameter_values, required_columns, substitute_parameters
from job.stages.data.validate import validate_dataset
from job.stages.packaging.metadata import describe_dataset
from job.stages.split.challenge_near_duplicates import number_near_duplicate_groups
from job.stages.split.near_duplicates import (
    Kind,
    choose_similarity_source,
    near_duplicate_search_bytes,
)
from job.stages.training.memory_limit import (
    require_memory,
    require_memory_to_read,
    require_memory_to_validate,
)
from job.stages.training.search.candidates import list_candidates

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The validated input: the valid rows of the table, and of the official test if there is one.

    Attributes
    ----------
    test_dataset
        The official test; None without such a table.
    challenge
        Rows of the challenge set; None without such a set.
    out_of_scope
        Rows of the out-of-scope set, without labels; None without such a set.
    is_near_challenge
        Mask of the table's rows that are near-duplicates of the challenge set, shape (n_rows,);
        None without a challenge set, and before near-duplicates are grouped.
    """

    dataset: Dataset
    validation: ValidationReport
    rows: Rows
    official_test: Rows | None
    digests: Mapping[str, str]
    test_dataset: Dataset | None = None
    challenge: Rows | None = None
    out_of_scope: Rows | None = None
    is_near_challenge: Mask | None = None


def check_request(settings: JobSettings, suite: Suite) -> None:
    """Check the settings and the suite before a table is read.

    Raises
    ------
    ConfigurationError
        An estimator's grid, a parameter of the suite, a column or a feature is invalid for every
        table.
    """
    spec = settings.dataset
    check_stress_floor(settings)
    list_candidates(settings.search, settings.features.use, settings.random_state)
    required_columns(suite, spec.columns, settings.features)
    empty = pd.DataFrame({"target": [], "embeddings": []})
    values = parameter_values(suite, settings.expectations.parameters, spec, empty)
    substitute_parameters(suite, values, spec.columns, empty, is_test=False)


def load_tables(context: RunContext) -> Tables:
    """Read and validate the table and, if the settings name them, the test table and both sets.

    The sets are the challenge set and the out-of-scope set.
    """
    plan = context.plan
    dataset, validation, rows = _load(context, plan.dataset_uri)
    digests = {
        "data_digest": dataset.provenance.content_digest,
        "settings_digest": plan.settings_digest,
    }
    official_test, test_dataset = None, None
    if plan.settings.dataset.test_uri:
        test_uri = plan.settings.dataset.test_uri
        test_dataset, _, official_test = _load(context, test_uri, is_test=True)
        digests["test_data_digest"] = test_dataset.provenance.content_digest
    challenge, uri = None, plan.settings.evaluation.challenge_uri
    if uri is not None:
        challenge, digests["challenge_data_digest"] = load_challenge(
            context, uri, table=dataset, table_rows=rows
        )
    out_of_scope, uri = None, plan.settings.evaluation.out_of_scope_uri
    if uri is not None:
        out_of_scope, digests["out_of_scope_data_digest"] = load_out_of_scope(
            context, uri, table=dataset
        )
    context.recorder.facts.digests = digests
    return Tables(
        dataset=dataset,
        validation=validation,
        rows=rows,
        official_test=official_test,
        digests=digests,
        test_dataset=test_dataset,
        challenge=challenge,
        out_of_scope=out_of_scope,
    )


def find_near_duplicates(context: RunContext, tables: Tables) -> tuple[Tables, Kind]:
    """Return the tables with groups of near-duplicates and persons, and the kind of the comparison.

    The kind names what was compared: `text`, `embeddings`, or `none`.
    """
    ports = context.ports
    spec = context.settings.split
    kind = choose_similarity_source(tables.rows, spec)
    n_rows = sum(len(rows or ()) for rows in (tables.rows, tables.official_test, tables.challenge))
    n_bytes = ports.memory.used_bytes() + near_duplicate_search_bytes(n_rows, kind)
    require_memory(n_bytes, ports.memory, f"to find near-duplicates among {n_rows} rows")
    grouped = number_near_duplicate_groups(
        tables.rows,
        tables.official_test,
        tables.challenge,
        spec=spec,
        kind=kind,
        executor=ports.executor,
    )
    tables = replace(tables, **{name: getattr(grouped, name) for name in grouped.__slots__})
    test, test_dataset = tables.official_test, tables.test_dataset
    if test is not None and test_dataset is not None:
        test = _number_persons(context.settings, test, test_dataset)
    rows = _number_persons(context.settings, tables.rows, tables.dataset)
    log.info(
        "persons_numbered",
        n_groups=len(np.unique(rows.groups)),
        n_persons=len(np.unique(rows.persons)),
    )
    return replace(tables, rows=rows, official_test=test), kind


def _number_persons(settings: JobSettings, rows: Rows, dataset: Dataset) -> Rows:
    """Return a table's rows, each with the id of its person, and with slices if requested."""
    assert rows.positions is not None  # set for the rows of a whole table
    texts = dataset.strings("text")
    persons = number_persons(rows, None if texts is None else texts[rows.positions])
    slices = None
    if settings.slicing:
        rule = disclosure_rule(settings)
        slices = make_slices(dataset, rows.positions, persons, settings.slicing, rule)
    return replace(rows, person_ids=persons, slices=slices)


def disclosure_rule(settings: JobSettings) -> DisclosureRule:
    """Return the rule that decides which values of the table are hidden in published files."""
    return DisclosureRule(
        min_rows=settings.evaluation.min_slice_rows,
        min_groups=max(settings.features.min_groups, MIN_HOLDERS),
    )


def _load(
    context: RunContext, uri: str, *, is_test: bool = False
) -> tuple[Dataset, ValidationReport, Rows]:
    """Return a table, the report of its validation, and its valid rows."""
    s, memory = context.settings, context.ports.memory
    dataset = _ingest(context, uri, name="test_dataset" if is_test else "dataset")
    require_memory_to_validate(dataset, memory)
    with context.stage("validate"):
        report, is_sound = validate_dataset(
            dataset,
            context.plan.suite,
            context.ports.suites,
            spec=s.dataset,
            parameters=s.expectations.parameters,
            features=s.features,
            is_test=is_test,
        )
    log.info("dataset_validated", n_rows=report.n_rows, n_dropped=report.n_dropped)
    rows = make_rows(
        dataset,
        is_sound,
        s.features.use,
        needs_templates=s.split.near_duplicates in ("auto", "text"),
    )
    if not s.evaluation.label_issues:
        dataset = dataset.without("id")  # not needed from here on
    return dataset, report, rows


def _ingest(context: RunContext, uri: str, *, name: str) -> Dataset:
    """Read a table, and record its origin and digests in the run's record under `name`."""
    s, ports = context.settings, context.ports
    required = required_columns(context.plan.suite, s.dataset.columns, s.features)
    required |= set(s.evaluation.slices or ())
    with context.stage("ingest"):
        dataset = ingest(
            ports.source,
            uri,
            s.dataset,
            required=required,
            matrices=ports.matrices,
            reserve=partial(require_memory_to_read, memory=ports.memory),
        )
    context.recorder.facts.datasets[name] = describe_dataset(dataset)
    digest = dataset.provenance.content_digest
    log.info("dataset_ingested", uri=uri, n_rows=dataset.n_rows, content_digest=digest)
    return dataset
