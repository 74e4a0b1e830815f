"""Publish a package, under another version name if foreign files are in the way.

How it works
------------
1. The package is published under the name of the run's claim.
2. A stored file under this name that is not the file of the package is foreign: another program, or
   an attempt of this run with another model, has stored it.  A foreign file never becomes part of a
   version.  The manifest of a version that no attempt of this run has recorded is foreign, too.
3. The run then makes its package again for the next name, and publishes it there.  The folder that
   is left behind has no manifest; `models prune` removes it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import structlog

from job.contracts.messages import pluralize
from job.errors import ForeignFileError, IntegrityError
from job.pipeline.package import Package
from job.pipeline.run_context import RunContext
from job.registry.claims import Claim, list_names
from job.registry.publish import publish
from job.stages.gate.kept_errors import store_group_errors

log = structlog.get_logger(__name__)


def publish_package(
    context: RunContext, claim: Claim, package: Package, make: Callable[[Claim], Package]
) -> Claim:
    """Publish the package, and return the claim with the name of the published version.

    Parameters
    ----------
    package
        The package for the name of `claim`.
    make
        Makes the package for the name of another claim.

    Raises
    ------
    IntegrityError
        There are foreign files under every name that the run may use.
    VersionConflictError
        Another attempt of the run has published a version with other files.
    """
    plan, store = context.plan, context.ports.store
    if package.group_errors is not None:  # later runs compare with published versions only
        store_group_errors(store, plan.run_id, package.group_errors)
    names = list_names(plan.run_id, claim)
    for version in names:
        if version != claim.version:
            claim = replace(claim, version=version)
            package = make(claim)
        try:
            publish(store, version, plan.run_id, package.files, lineage=package.lineage)
        except ForeignFileError as error:
            log.warning("version_name_abandoned", version=version, foreign=error.key)
        else:
            log.info("model_published", version=version)
            return claim
    raise IntegrityError(
        f"cannot publish: there are foreign files under all {pluralize(len(names), 'name')} of run "
        f"'{plan.run_id}', from {names[0]} to {names[-1]}",
        hint="find out who stored them (the events version_name_abandoned name one file each), "
        "then run again with another --run-id",
    )
