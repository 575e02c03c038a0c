"""The database session of a web request: takes its slot, and ends without an error even if the connection died."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from flask import Flask, current_app, g, has_request_context
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session, SessionTransaction

from webapp.database.request_slots import RequestSlots
from webapp.extensions import db

log = logging.getLogger(__name__)

Result = TypeVar("Result")

_SLOTS = "alertcheck_database_slots"


def init_sessions(app: Flask) -> None:
    """Bind the database to an application. The teardown functions run in reverse order: the slot is returned last."""
    app.extensions[_SLOTS] = RequestSlots()
    # While the request and its limit still exist: a later rollback on a frozen server would wait forever.
    app.teardown_request(_close_session)
    app.teardown_appcontext(_give_back_slot)
    db.init_app(app)
    app.teardown_appcontext(_close_session)


def discard_transaction() -> None:
    """Roll back what the current request has not committed. A connection that died has nothing to roll back."""
    try:
        db.session.rollback()
    except SQLAlchemyError as error:
        log.warning("connection lost, the transaction is discarded", extra={"error": type(error).__name__})
        _forget_session()


def leave_database() -> None:
    """End the transaction, and return the connection and the slot, in a request that waits for something else."""
    discard_transaction()
    _give_back_slot(None)


def read_again_if_disconnected(read: Callable[[], Result]) -> Result:
    """Return what `read` returns. If its connection died, read once more with another one.

    For what follows a commit: the request has done its work, and only shows it.
    """
    try:
        return read()
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
    discard_transaction()
    return read()


@contextmanager
def keeping_rows() -> Iterator[None]:
    """Let what the session has loaded outlast the commits inside a `with`, instead of being loaded again."""
    session = db.session()
    session.expire_on_commit = False
    try:
        yield
    finally:
        session.expire_on_commit = True


@event.listens_for(db.session, "after_transaction_create")
def _take_slot(_session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None and has_request_context() and "database_slot" not in g:
        current_app.extensions[_SLOTS].take()
        g.database_slot = True


def _give_back_slot(_error: BaseException | None) -> None:
    if g.pop("database_slot", False):
        current_app.extensions[_SLOTS].give_back()


def _close_session(_error: BaseException | None) -> None:
    """Close the session. The response is complete: an exception here would replace it with a bare error."""
    try:
        db.session.remove()
    except Exception as error:
        log.warning("connection lost at the end of a request", extra={"error": type(error).__name__})
        _forget_session()


def _forget_session() -> None:
    with suppress(Exception):
        db.session().invalidate()
    db.session.registry.clear()
