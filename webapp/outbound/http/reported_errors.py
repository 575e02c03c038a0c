"""Recognizes a response of 2xx whose JSON reports an error: many receivers answer 200 to whatever they refuse.

Sources: DingTalk and WeCom (`errcode`), Rocket.Chat (`success`), Slack and Telegram (`ok`), GraphQL (`errors`), JSend
(`status`), Zulip (`result`), AWS Lambda behind an API Gateway without proxy integration (`errorMessage`, or a
`statusCode` that nobody converts), Feishu and Lark (`code` and `msg`).
"""

import json
import re
from typing import Any

# Names in lower case: .NET writes Success for success.
_FALSE_IF_REFUSED = ("ok", "success", "issuccess", "succeeded", "accepted", "status")
_SET_IF_REFUSED = ("error", "errors", "errcode", "errorcode", "error_code", "errormessage", "error_message")
_HTTP_STATUSES = ("code", "status", "statuscode", "status_code")
_OUTCOMES = ("status", "result")
_REFUSALS = frozenset({"error", "fail", "failed", "failure"})
_NO_ERROR = frozenset({"", "0", "false", "no", "none", "null", "ok", "success", "200"})
_SUCCESS = re.compile(r"\b(?:ok|success\w*)\b|成功", re.IGNORECASE)


def reports_error(body: bytes) -> bool:
    """Check whether a body is a JSON object that says at its top level that something failed."""
    try:
        answer: Any = json.loads(body)  # whatever its encoding, with or without a byte order mark
    except (ValueError, RecursionError):
        return False
    return isinstance(answer, dict) and _names_error({name.lower(): value for name, value in answer.items()})


def _names_error(answer: dict[str, Any]) -> bool:
    return (
        any(_read_word(answer.get(name)) == "false" for name in _FALSE_IF_REFUSED)
        or any(_is_set(answer.get(name)) for name in _SET_IF_REFUSED)
        or any(_read_word(answer.get(name)) in _REFUSALS for name in _OUTCOMES)
        or any(400 <= _read_number(answer.get(name)) < 600 for name in _HTTP_STATUSES)
        or _has_error_number(answer)
    )


def _has_error_number(answer: dict[str, Any]) -> bool:
    """Check for a number of an error beside its text. Small numbers, and large ones such as 20000, may mean success."""
    text, code = answer.get("msg"), answer.get("code")
    if not isinstance(text, str) or _SUCCESS.search(text) is not None:
        return False
    return _read_number(code) >= 600 or (type(code) is int and code < 0)


def _read_number(value: object) -> int:
    """Return a number of at most six digits, which may be written as a text; 0 for anything else."""
    digits = _read_word(value)
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) <= 6 else 0


def _is_set(value: object) -> bool:
    """Return whether a value names an error. Some receivers write "0" or "none" as a text."""
    return bool(value) and (isinstance(value, list | dict) or _read_word(value) not in _NO_ERROR)


def _read_word(value: object) -> str:
    """Return a value in lower case; nothing for a list or an object, which can be nested too deep for `str`."""
    return "" if isinstance(value, list | dict) else str(value).strip().lower()
