"""Caches the paths of links, because building one takes longer than anything else in the row of a list."""

from functools import lru_cache
from typing import Any

from flask import Flask, request

# Links that a process remembers.
CAPACITY = 4_096

# Characters of a value in a link that is remembered, so that strangers cannot fill the memory with what they ask for.
LONGEST_VALUE = 100


def init_link_paths(app: Flask) -> None:
    """Give the templates a `url_for` that builds each path once.

    A path depends on nothing but the view and its values, unless the request came below a prefix. `CheckedFlask`
    refuses such requests, those of probes excepted, so the links of their error pages are not remembered.
    """
    remembered = lru_cache(maxsize=CAPACITY, typed=True)(app.url_for)

    def url_for(endpoint: str, **values: Any) -> str:
        is_long = any(isinstance(value, str) and len(value) > LONGEST_VALUE for value in values.values())
        return (app.url_for if is_long or request.script_root else remembered)(endpoint, **values)

    app.jinja_env.globals["url_for"] = url_for
