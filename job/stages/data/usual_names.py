"""The roles of columns, and the usual names of columns with each role."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

Role = Literal["target", "text", "embeddings", "timestamp", "id", "group"]
ROLES: Final[tuple[Role, ...]] = ("target", "text", "embeddings", "timestamp", "id", "group")

# usual names of each role in lowercase, without punctuation; earlier ones are preferred
USUAL_NAMES: Final[Mapping[Role, tuple[str, ...]]] = {
    "target": (
        *("intent", "label", "labels", "target", "category", "class", "classlabel", "labeltext"),
        *("labelname", "intentname", "categoryname", "topic", "tag", "type", "subject", "queue"),
        *("department", "sentiment", "theme", "reason", "y"),
    ),
    "text": (
        *("text", "utterance", "comment", "comments", "message", "body", "sentence", "query"),
        *("question", "request", "content", "description", "document", "review", "complaint"),
        *(
            "feedback",
            "ticket",
            "email",
            "letter",
            "prompt",
            "input",
            "title",
            "subject",
            "summary",
        ),
    ),
    "embeddings": (
        *("embeddings", "embedding", "vec", "vector", "vectors", "emb", "features", "dense"),
        *("textembedding", "sentenceembedding", "embeddingvector"),
    ),
    "timestamp": (
        *("timestamp", "created", "createdat", "date", "datetime", "time", "receivedat"),
        *("received", "updatedat", "submittedat", "loggedat", "day"),
    ),
    "id": (
        *("id", "recordid", "rowid", "uuid", "uid", "ticketid", "messageid", "requestid", "index"),
    ),
    "group": (
        *("group", "groupid", "userid", "user", "customerid", "customer", "personid", "person"),
        *("accountid", "account", "authorid", "author", "sender", "clientid", "sessionid"),
        *("conversationid", "threadid"),
    ),
}
