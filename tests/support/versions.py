"""Small published versions, named by their run ids."""

from datetime import UTC, datetime

from job.registry.publish import name_version, publish

FILES = {"model.joblib": b"model", "metadata.json": b"{}", "figures/roc.svg": b"<svg/>"}


def name_of(run_id, day):
    """Return the version that a run publishes on a day of January 2026."""
    return name_version(run_id, datetime(2026, 1, day, tzinfo=UTC))


def publish_small(store, *run_ids):
    """Publish one version per day; return their names."""
    names = [name_of(run_id, day) for day, run_id in enumerate(run_ids, 1)]
    for run_id, name in zip(run_ids, names, strict=True):
        publish(store, name, run_id, FILES)
    return names


def listed_names(result):
    """Return the names in the result of `models list`, oldest first."""
    return [listed["version"] for listed in reversed(result["versions"])]
