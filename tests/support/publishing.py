"""Publish a payload that is too large for one request, for use in separate processes."""

import os

from support.servers import ACCESS_KEY, SECRET_KEY

from job.adapters.stores.s3 import S3Store, reads, uploads
from job.adapters.stores.s3.client import connect
from job.contracts.settings.store import S3Spec, StoreSpec
from job.registry.publish import publish

PART_BYTES = 5 * 2**20  # S3's minimum


def publish_by_parts(url, bucket, version, run_id, sizes):
    """Publish files, given by their bytes or their sizes, below `p/` of a bucket."""
    os.environ |= {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
    uploads.PART_BYTES = reads.PART_BYTES = PART_BYTES
    files = {n: size if isinstance(size, bytes) else bytes(size) for n, size in sizes.items()}
    spec = S3Spec(endpoint_url=url, region="us-east-1")
    store = S3Store(connect(spec), StoreSpec(uri=f"s3://{bucket}/p"))
    publish(store, version, run_id, files)
