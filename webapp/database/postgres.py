"""PostgreSQL as web requests use it: no call outlasts the limit of its request, even if the server is frozen.

It works behind a pooler in any mode: a transaction leaves nothing behind on the server's connection.
"""

from collections.abc import Callable
from concurrent.futures import Future
from threading import BoundedSemaphore, Thread
from typing import Any, TypeVar, overload

from psycopg import Column, Connection, Cursor, ServerCursor
from psycopg.abc import PQGen
from psycopg.errors import ConnectionTimeout, ReadOnlySqlTransaction, _WaitTimeout
from psycopg.pq import TransactionStatus
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from webapp.database.query_plans import PLAN_ONCE
from webapp.database.request_timeouts import LOCK_TIMEOUT, STATEMENT_TIMEOUT, find_limit, stop_waiting

Result = TypeVar("Result")

BEGIN = "BEGIN"
# One round trip. LOCAL ends with the transaction: behind a transaction pooler, the next one may be somebody else's.
BEGIN_LIMITED = (
    f"BEGIN; SET LOCAL statement_timeout = {STATEMENT_TIMEOUT * 1000:.0f};"
    f" SET LOCAL lock_timeout = {LOCK_TIMEOUT * 1000:.0f}"
)

# The most connections that are being opened for requests at once, including those that their requests gave up on.
_OPENING = BoundedSemaphore(16)


class StandbyRefused(ReadOnlySqlTransaction):
    """The server accepts no changes, because it is a standby."""

    is_standby = True


class Columns:
    """The columns of a cursor's result, each of which is described when it is read."""

    def __init__(self, cursor: Cursor[Any], count: int) -> None:
        self._cursor, self._numbers = cursor, range(count)

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, number: int) -> Column: ...

    @overload
    def __getitem__(self, number: slice) -> list[Column]: ...

    def __getitem__(self, number: int | slice) -> Column | list[Column]:
        """Describe a column, or those of a slice: SQLAlchemy leaves out the last one of rows inserted together."""
        if isinstance(number, slice):
            return [Column(self._cursor, each) for each in self._numbers[number]]
        return Column(self._cursor, self._numbers[number])


class LeanCursor(Cursor[Any]):
    """A cursor that describes no column that nobody reads: SQLAlchemy reads those of a statement's first result."""

    @property
    def description(self) -> Columns | list[Column] | None:  # type: ignore[override]
        """Return the columns of the result; None if it has no rows."""
        result = self.pgresult
        return Columns(self, result.nfields) if result and result.nfields else super().description


class LimitedConnection(Connection[Any]):
    """A connection that closes itself when a call takes longer than its request may wait.

    psycopg passes every exchange with the server through `wait`: statements, pings, commits and rollbacks.
    """

    def wait(self, gen: PQGen[Result], interval: float = 0.1, timeout: float | None = None) -> Result:
        """Finish an exchange with the server. Raises `ConnectionTimeout`."""
        limit = find_limit()
        try:
            return super().wait(gen, interval, timeout if limit is None else limit)
        except _WaitTimeout:
            if limit is not None:
                stop_waiting()
            self.close()  # a late response must not be taken for that of the next statement
            raise ConnectionTimeout("the server did not respond in time") from None
        except ReadOnlySqlTransaction as error:
            if self.pgconn.parameter_status(b"in_hot_standby") == b"on":  # since PostgreSQL 14
                raise StandbyRefused(str(error)) from None
            raise

    def rollback(self) -> None:
        """Roll back. In a request, keep the prepared statements unless one failed: it may fit the schema no more.

        Each request ends with a rollback, after which psycopg would forget them. The pool then rolls back once more.
        """
        status = self.pgconn.transaction_status
        if status == TransactionStatus.IDLE:
            return
        if find_limit() is None or status != TransactionStatus.INTRANS:
            super().rollback()
            return
        with self.lock:
            self.wait(self._exec_command(b"ROLLBACK"))

    def adapt_to_pooler(self) -> None:
        """Prepare no statements on a pooler, which would execute them on another connection than prepared them.

        A pooler shows by the process id that it gave at the start: it is not that of the server's process.
        """
        row = self.execute("SELECT pg_backend_pid()", prepare=False).fetchone()
        if row is None or row[0] != self.info.backend_pid:
            self.prepare_threshold = None


class PostgresDialect(PGDialect_psycopg):
    """SQLAlchemy's dialect with limited connections. They are in autocommit mode, because `do_begin` begins."""

    supports_statement_cache = True

    def connect(self, *arguments: Any, **options: Any) -> Any:
        """Open a connection, within the limit of a request."""

        def open_connection() -> LimitedConnection:
            return LimitedConnection.connect(*arguments, autocommit=True, cursor_factory=LeanCursor, **options)

        limit = find_limit()
        connection = open_connection() if limit is None else _open_within(limit, open_connection)
        try:
            connection.adapt_to_pooler()
        except BaseException:
            connection.close()
            raise
        return connection

    def do_ping(self, dbapi_connection: Any) -> bool:
        """Begin the transaction for which the connection was taken from the pool: one round trip instead of two."""
        self.do_begin(dbapi_connection)
        return True

    def do_begin(self, dbapi_connection: Any) -> None:
        """Begin a transaction, with timeouts if it is that of a request, unless the ping has begun it."""
        if dbapi_connection.pgconn.transaction_status != TransactionStatus.INTRANS:
            begin = BEGIN if find_limit() is None else BEGIN_LIMITED
            dbapi_connection.execute(begin, prepare=False)

    def do_execute(self, cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        """Execute a statement. In a request, the server plans it for its values, unless it has the option `PLAN_ONCE`.

        A plan for any values can be a hundred times slower where a workspace or a destination has most of the rows.
        """
        if isinstance(cursor, ServerCursor):  # of `yield_per`; it prepares nothing, and takes no `prepare`
            cursor.execute(statement, parameters)
            return
        has_one_plan = find_limit() is None or (context is not None and context.execution_options.get(PLAN_ONCE))
        cursor.execute(statement, parameters, prepare=None if has_one_plan else False)


def _open_within(seconds: float, open_connection: Callable[[], LimitedConnection]) -> LimitedConnection:
    """Open a connection in a thread of its own: neither looking up a name nor trying several addresses has a limit."""
    opened: Future[LimitedConnection] = Future()
    if seconds <= 0 or not _OPENING.acquire(blocking=False):
        raise ConnectionTimeout("no new connection: earlier ones did not respond")
    try:
        Thread(target=_open, args=(opened, open_connection), daemon=True).start()
    except RuntimeError:  # no memory for a thread
        _OPENING.release()
        raise ConnectionTimeout("no new connection: no thread can be started") from None
    try:
        return opened.result(seconds)
    except TimeoutError:
        stop_waiting()
        opened.add_done_callback(_close_unused)
        raise ConnectionTimeout("the server did not accept the connection in time") from None


def _open(opened: Future[LimitedConnection], open_connection: Callable[[], LimitedConnection]) -> None:
    try:
        opened.set_result(open_connection())
    except BaseException as error:
        opened.set_exception(error)
    finally:
        _OPENING.release()


def _close_unused(opened: Future[LimitedConnection]) -> None:
    if opened.exception() is None:
        opened.result().close()
