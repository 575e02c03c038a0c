"""The log: one line of JSON an event, with ids and words of ours, never an address or a message."""

import json
import logging
import sys
from datetime import UTC, datetime

_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has; what else it has is what `extra` told."""


class JsonLines(logging.Formatter):
    """Writes an event as JSON: when, how grave, whose, what happened, and the facts that the call passed as `extra`.

    What a library wants to say may hold anything, so of that only the constant words are kept, and where they stand.
    """

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "pid": record.process,
        }
        told = _read_ours(record) if record.name.startswith("webapp.") else _read_foreign(record)
        return json.dumps(line | told)


def init_logs() -> None:
    """Write the log to standard error: ours from INFO on, the libraries' from WARNING on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("webapp").setLevel(logging.INFO)


def _read_ours(record: logging.LogRecord) -> dict[str, object]:
    facts = {name: _plain(value) for name, value in vars(record).items() if name not in _USUAL}
    return {"event": record.msg, **facts}


def _read_foreign(record: logging.LogRecord) -> dict[str, object]:
    # Without arguments the text may have been put together before, from who knows what.
    event = record.msg if record.args and isinstance(record.msg, str) else "not shown"
    kind = record.exc_info[0] if record.exc_info else None
    told: dict[str, object] = {"event": event, "where": f"{record.module}:{record.lineno}"}
    return told | {"error": kind.__name__} if kind else told


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, bool | int | float) else str(value)
