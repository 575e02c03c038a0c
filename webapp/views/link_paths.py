"""Caches the paths of links, because building one takes longer than anything else in the row of a list."""

from functools import lru_cache

from flask import Flask

# Links that a process keeps, of less than 1 KB each.
CAPACITY = 4_096


def init_link_paths(app: Flask) -> None:
    """Give the templates a `url_for` that builds each path once.

    A path depends on nothing but the view and its values: `CheckedFlask` refuses requests below another path.
    """
    app.jinja_env.globals["url_for"] = lru_cache(maxsize=CAPACITY, typed=True)(app.url_for)
