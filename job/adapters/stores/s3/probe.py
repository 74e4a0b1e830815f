"""Try for real what a run needs of a bucket, and say what the store answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from job.adapters.stores.s3.errors import denied_actions
from job.contracts.store_keys import ProbeStep
from job.errors import ConfigurationError

if TYPE_CHECKING:
    from job.adapters.stores.s3 import S3Store

P = ParamSpec("P")
R = TypeVar("R")
_OTHER_ETAG = '"00000000000000000000000000000000"'


def probe(store: S3Store, key: str) -> tuple[ProbeStep, ...]:
    """Write, read, list and remove one key.

    Raises
    ------
    ConfigurationError
        Something is not allowed; every action that is missing is named.
    """
    rights = _Rights()
    written = rights.ask("403", store.answer, key, b"1", IfNoneMatch="*")
    found = rights.ask(None, store.read, key)
    is_read = found is not None and found[0] == b"1"
    again = stale = swapped = "403"
    if written == "200":
        again = store.answer(key, b"2", IfNoneMatch="*")
        stale = store.answer(key, b"3", IfMatch=_OTHER_ETAG)
        found = rights.ask(None, store.read, key)
        swapped = store.answer(key, b"4", IfMatch=found[1] if found else _OTHER_ETAG)
    is_listed = rights.ask(False, lambda: key in store.keys(key))
    rights.ask(None, store.delete, key)
    rights.require(store)
    is_deleted = store.head(key) is None
    return (
        ProbeStep(name="writes", is_met=written == "200", answer=written),
        ProbeStep(name="reads", is_met=is_read, answer="same bytes" if is_read else "others"),
        ProbeStep(name="creates_once", is_met=again != "200", answer=again),
        ProbeStep(
            name="swaps",
            is_met=stale != "200" and swapped == "200",
            answer=f"{stale} to a stale condition, {swapped} to a true one",
        ),
        ProbeStep(name="lists", is_met=is_listed, answer="there" if is_listed else "absent"),
        ProbeStep(name="deletes", is_met=is_deleted, answer="gone" if is_deleted else "there"),
    )


class _Rights:
    """Goes on where something is not allowed, so that all that is missing is told at once."""

    def __init__(self) -> None:
        self._errors: list[ConfigurationError] = []

    def ask(self, otherwise: R, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except ConfigurationError as error:
            if "action" not in error.context:
                raise
            self._errors.append(error)
            return otherwise

    def require(self, store: S3Store) -> None:
        actions = list(dict.fromkeys(str(error.context["action"]) for error in self._errors))
        if actions:
            raise denied_actions(store.where, actions) from self._errors[0]
