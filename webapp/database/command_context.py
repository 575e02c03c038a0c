"""Gives a command the application and its database, and explains errors of the latter."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click
from flask.cli import with_appcontext
from sqlalchemy.exc import SQLAlchemyError

from webapp.database.outages import describe_outage


def with_database(command: Callable[..., Any]) -> Callable[..., Any]:
    """Run a command in the context of the application. If the database cannot be used, it ends with a sentence."""

    @wraps(command)
    def run(*arguments: Any, **options: Any) -> Any:
        try:
            return command(*arguments, **options)
        except SQLAlchemyError as error:
            sentence = describe_outage(error)
            if sentence is None:
                raise
            raise click.ClickException(sentence) from None

    return with_appcontext(run)
