"""How long web requests wait for the database; everything else waits as before."""

from flask import Flask
from sqlalchemy import text

from tests.factories import on_both_databases
from webapp.database.request_timeouts import find_limit, stop_waiting, waiting_at_most
from webapp.extensions import db

SHOW = {
    "postgresql": "SELECT current_setting('statement_timeout') || ' ' || current_setting('lock_timeout')",
    "sqlite": "PRAGMA busy_timeout",
}
LIMITED = {"postgresql": "1800ms 1500ms", "sqlite": "2000"}
UNLIMITED = {"postgresql": "0 0", "sqlite": "5000"}


def _timeouts() -> str:
    return str(db.session.execute(text(SHOW[db.engine.dialect.name])).scalar_one())


@on_both_databases
def test_every_transaction_of_a_request_has_timeouts(app: Flask) -> None:
    with app.test_request_context():
        first = _timeouts()
        db.session.commit()
        second = _timeouts()

        assert (first, second) == (LIMITED[db.engine.dialect.name],) * 2


@on_both_databases
def test_a_connection_that_a_request_used_has_no_timeouts_afterwards(app: Flask) -> None:
    with app.test_request_context():
        _timeouts()
        db.session.commit()

    with app.app_context():
        assert _timeouts() == UNLIMITED[db.engine.dialect.name]


@on_both_databases
def test_a_worker_and_a_command_have_no_timeouts(app: Flask) -> None:
    with app.app_context():
        assert (_timeouts(), find_limit()) == (UNLIMITED[db.engine.dialect.name], None)


def test_a_page_may_wait_less_for_a_while(app: Flask) -> None:
    with app.test_request_context():
        with waiting_at_most(0.3):
            within = find_limit()

        assert (within, find_limit()) == (0.3, 2.0)


def test_a_request_whose_database_did_not_respond_waits_no_more(app: Flask) -> None:
    with app.test_request_context():
        with waiting_at_most(0.3):
            stop_waiting()

        assert find_limit() == 0
