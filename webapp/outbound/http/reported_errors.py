"""Recognizes a response of 2xx whose JSON reports an error: many receivers answer 200 to whatever they refuse.

Sources: DingTalk and WeCom (`errcode`), Rocket.Chat (`success`), Slack and Telegram (`ok`), GraphQL (`errors`), JSend
(`status`), Zulip (`result`).
"""

import json
from typing import Any

_FALSE_IF_REFUSED = ("ok", "success")
_SET_IF_REFUSED = ("error", "errors", "errcode")
_OUTCOMES = ("status", "result")
_REFUSALS = frozenset({"error", "fail", "failed", "failure"})
_NO_ERROR = frozenset({"", "0", "false", "no", "none", "null", "ok", "success"})


def reports_error(body: bytes) -> bool:
    """Check whether a body is a JSON object that says at its top level that something failed."""
    try:
        answer: Any = json.loads(body)  # whatever its encoding, with or without a byte order mark
    except (ValueError, RecursionError):
        return False
    return isinstance(answer, dict) and (
        any(str(answer.get(name)).lower() == "false" for name in _FALSE_IF_REFUSED)
        or any(_is_set(answer.get(name)) for name in _SET_IF_REFUSED)
        or any(str(answer.get(name)).lower() in _REFUSALS for name in _OUTCOMES)
    )


def _is_set(value: object) -> bool:
    """Return whether a value names an error. Some receivers write "0" or "none" as a text."""
    return bool(value) and str(value).strip().lower() not in _NO_ERROR
