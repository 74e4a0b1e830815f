"""Set structlog up once: JSON lines on stderr, a readable form on a terminal."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog
from structlog.processors import ExceptionRenderer
from structlog.tracebacks import ExceptionDictTransformer


def configure_logs(level: str) -> None:
    """Send events to stderr; tracebacks carry no locals, which would be rows of data."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderers: list[Any]  # structlog's processors differ in their return types
    if sys.stderr.isatty():
        renderers = [
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        ]
    else:
        exceptions = ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
        renderers = [exceptions, structlog.processors.JSONRenderer(sort_keys=True, default=str)]
    structlog.configure(
        processors=[*shared, *renderers],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
