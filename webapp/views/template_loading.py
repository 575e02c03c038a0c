"""Lets a process compile each template once, although the requests after its start all need it at the same time."""

from collections.abc import MutableMapping
from threading import RLock
from typing import Any

from flask.templating import Environment
from jinja2 import Template


class SharedEnvironment(Environment):
    """Flask's environment, but one thread at a time gets a template, so that the others find it compiled."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._loading = RLock()

    def get_template(
        self,
        name: str | Template,
        parent: str | None = None,
        globals: MutableMapping[str, Any] | None = None,  # noqa: A002 - as in Jinja
    ) -> Template:
        """Return a template, as Jinja does."""
        with self._loading:
            return super().get_template(name, parent, globals)
