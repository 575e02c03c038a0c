"""The log: one JSON line per event, with ids and fixed words, never an address or a message."""

import json
import logging
import re
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

log = logging.getLogger(__name__)

# A URL, with whatever stands in it: it may hold a password.
_URL = r"\w[\w+.-]*://\S+"

# The attributes of every log record. Any other attribute was passed as `extra`.
_STANDARD_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """Formats an event as JSON: time, level, logger, process id, event, and the fields passed as `extra`.

    A library's message may contain anything, so only its format string and its location in the code are kept.
    """

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "pid": record.process,
        }
        is_ours = record.name.startswith("webapp.")
        return json.dumps(line | (_our_fields(record) if is_ours else _library_fields(record)))


class PlainText(logging.Formatter):
    """Formats a library's record for a person at a terminal: its whole message, without URLs and secrets."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        self._secret = re.compile("|".join([_URL, *(re.escape(secret) for secret in secrets if secret)]))

    def format(self, record: logging.LogRecord) -> str:
        return self._secret.sub("[left out]", record.getMessage())


@contextmanager
def showing_as_text(handler: logging.Handler, *libraries: str) -> Iterator[None]:
    """Show the records of libraries inside a `with` by a handler of their own, and not in the log."""
    loggers = [logging.getLogger(name) for name in libraries]
    before = [(logger.level, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
    try:
        yield
    finally:
        for logger, (level, propagate) in zip(loggers, before, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)
            logger.propagate = propagate


def init_logs() -> None:
    """Write the log to standard error: our events from INFO, those of libraries from WARNING."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("webapp").setLevel(logging.INFO)
    logging.captureWarnings(True)
    threading.excepthook = _log_end_of_thread


def _log_end_of_thread(ended: threading.ExceptHookArgs) -> None:
    """Log the type of an exception that ends a thread: Python would print it, with its text."""
    log.error("a thread ended with an error", extra={"error": ended.exc_type.__name__})


def _our_fields(record: logging.LogRecord) -> dict[str, object]:
    fields = {name: _to_json_value(value) for name, value in vars(record).items() if name not in _STANDARD_ATTRIBUTES}
    return {"event": record.msg, **fields}


def _library_fields(record: logging.LogRecord) -> dict[str, object]:
    # Without arguments, the message may already be formatted, with unknown contents.
    event = record.msg if record.args and isinstance(record.msg, str) else "not shown"
    kind = record.exc_info[0] if record.exc_info else None
    fields: dict[str, object] = {"event": event, "where": f"{record.module}:{record.lineno}"}
    return fields | {"error": kind.__name__} if kind else fields


def _to_json_value(value: object) -> object:
    return value if value is None or isinstance(value, bool | int | float) else str(value)
