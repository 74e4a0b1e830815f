"""Test the operations that a run needs on a bucket, and report the store's answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from job.adapters.stores.s3.errors import access_denied
from job.contracts.store_keys import ProbeStep
from job.errors import AccessDeniedError

if TYPE_CHECKING:
    from job.adapters.stores.s3 import S3Store

P = ParamSpec("P")
R = TypeVar("R")
_OTHER_ETAG = '"00000000000000000000000000000000"'


def probe(store: S3Store, key: str) -> tuple[ProbeStep, ...]:
    """Write, read, list and remove one key; return the store's answer to each operation.

    Raises
    ------
    ConfigurationError
        Permissions are missing; the message lists all of them.
    """
    permissions = _Permissions()
    created = permissions.call("403", store.answer, key, b"1", IfNoneMatch="*")
    stored = permissions.call(None, store.read, key, max_bytes=1)
    is_read = stored is not None and stored[0] == b"1"
    recreated = stale = swapped = "403"
    if created == "200":
        recreated = store.answer(key, b"2", IfNoneMatch="*")
        stale = store.answer(key, b"3", IfMatch=_OTHER_ETAG)
        stored = permissions.call(None, store.read, key, max_bytes=1)
        swapped = store.answer(key, b"4", IfMatch=stored[1] if stored else _OTHER_ETAG)
    is_listed = permissions.call(False, lambda: key in store.keys(key))
    permissions.call(None, store.delete, key)
    permissions.raise_missing(store)
    is_deleted = store.head(key) is None
    return (
        ProbeStep(name="writes", is_met=created == "200", answer=created),
        ProbeStep(name="reads", is_met=is_read, answer="same bytes" if is_read else "other bytes"),
        ProbeStep(name="creates_once", is_met=recreated != "200", answer=recreated),
        ProbeStep(
            name="swaps",
            is_met=stale != "200" and swapped == "200",
            answer=f"{stale} for an outdated ETag, {swapped} for the current one",
        ),
        ProbeStep(name="lists", is_met=is_listed, answer="listed" if is_listed else "not listed"),
        ProbeStep(
            name="deletes", is_met=is_deleted, answer="deleted" if is_deleted else "not deleted"
        ),
    )


class _Permissions:
    """Collects the missing permissions, so that one error can list all of them."""

    def __init__(self) -> None:
        self._errors: list[AccessDeniedError] = []

    def call(self, default: R, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except AccessDeniedError as error:
            self._errors.append(error)
            return default

    def raise_missing(self, store: S3Store) -> None:
        actions = list(dict.fromkeys(a for error in self._errors for a in error.actions))
        if actions:
            raise access_denied(store.where, actions) from self._errors[0]
