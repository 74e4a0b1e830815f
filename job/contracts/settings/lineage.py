"""Settings of the lineage, the record of the rows that a version was trained on."""

from pydantic import Field

from job.contracts.settings.base import Spec


class LineageSpec(Spec):
    """Keys of the lineage digests."""

    key_file: str | None = Field(
        None,
        min_length=1,
        description="File with the lineage keys, one per line; the first makes new digests, the "
        "others read earlier ones. `pcc-job lineage keygen` prints a key. Unset: "
        "`PCC_JOB_LINEAGE_KEY`, otherwise a key that the first run creates in the store.",
    )
