"""Compiles each URL rule once per process, however many applications a test run makes.

Werkzeug compiles a rule into two functions that depend on the rule alone. That is nearly all the work of `create_app`.
"""

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule

Builder = Callable[..., tuple[str, str]]

_compile: Callable[..., Builder] = Rule._compile_builder
_compiled: dict[tuple[Any, ...], Builder] = {}


def share_compiled_routes() -> None:
    """Make all applications of this process share the functions that Werkzeug compiles from their rules."""
    Rule._compile_builder = _compile_once  # type: ignore[method-assign]


def _compile_once(rule: Rule, append_unknown: bool = True) -> Builder:
    if rule.defaults:  # these become constants, in a way that a converter decides
        return _compile(rule, append_unknown)
    key = (rule.rule, tuple(rule._trace), append_unknown)
    if key not in _compiled:
        _compiled[key] = _compile(rule, append_unknown)
    return _compiled[key]
