"""The application's lifetime: when it closes its database connections. And that it calls everything as it is."""

import gc
from inspect import iscoroutinefunction
from itertools import chain
from typing import Any

from flask import Flask
from sqlalchemy import event, text

from webapp.application import create_app
from webapp.extensions import db
from webapp.settings import AppSettings


def test_an_application_closes_its_connections_when_it_is_deleted(app_settings: AppSettings) -> None:
    closed: list[object] = []
    app = create_app(app_settings)
    with app.app_context():
        event.listen(db.engine, "close", lambda connection, _record: closed.append(connection))
        db.session.execute(text("SELECT 1"))
    assert closed == []

    del app
    gc.collect()

    assert len(closed) == 1


def test_no_function_of_a_request_is_a_coroutine_so_that_none_is_examined(app: Flask) -> None:
    async def show() -> None:
        pass

    hooks: list[Any] = [app.before_request_funcs, app.after_request_funcs, app.teardown_request_funcs]
    handlers = [one.values() for codes in app.error_handler_spec.values() for one in codes.values()]
    functions = [*app.view_functions.values(), *chain(*handlers), *chain(*chain(*(hook.values() for hook in hooks)))]

    assert app.ensure_sync(show) is show
    assert not list(filter(iscoroutinefunction, functions))
