"""A transaction whose queries all read the same state of the database, however long they take."""

from sqlalchemy import text

from webapp.extensions import db


def begin_snapshot() -> None:
    """Begin a transaction that only reads, in one state of the database, until it is rolled back.

    What the session has not committed is rolled back first. Objects that it has loaded are loaded again when they are
    used. At the end of a request, the transaction is rolled back in any case.
    """
    db.session.rollback()
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
    else:  # without it, each SELECT of SQLite's driver is a transaction of its own
        db.session.execute(text("BEGIN"))
