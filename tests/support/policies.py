"""The policies of the runbook, as a store applies them."""

import json
import uuid

from support.markdown import ROOT
from support.servers import add_user

ROLES = {
    "consumer": "The consumer's policy",
    "job": "The job's policy",
    "operator": "The operator's policy",
}


def read_policy(role, bucket, prefix):
    """Return a role's policy in docs/operations.md for a bucket and a prefix."""
    page = (ROOT / "docs/operations.md").read_text()
    text = page.partition(f"### {ROLES[role]}")[2].partition("```json")[2].partition("```")[0]
    return json.loads(text.replace("BUCKET", bucket).replace("PREFIX", prefix))


def grant(server, policy, folder):
    """Create a user with only this policy; return the environment of the user's processes."""
    name, secret = f"user-{uuid.uuid4().hex[:12]}", f"canary-{uuid.uuid4().hex}"
    return {**server.environment, **add_user(server, name, secret, policy, folder)}
