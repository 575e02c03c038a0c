"""Keeps the search keys of destinations: written with their settings, erased with them, completed by the workers.

A destination's `search_mark` says with which encryption key its search keys were made. None: not yet, because the
settings were stored by an older version.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic

from sqlalchemy import ColumnElement, delete, func, insert, or_, select, update

from webapp.destinations.search_terms import list_terms
from webapp.encryption.settings_cipher import SettingsCipher, SettingsUnreadable
from webapp.extensions import db
from webapp.models import AlertDestination, SearchKey

# Destinations that are read at once.
PAGE_SIZE = 100

# Seconds of one pass of a worker, after which it commits. Each destination takes some milliseconds.
PASS_TIME = 0.025

# How long the workers wait before they look for such destinations again.
SCAN_INTERVAL = timedelta(minutes=1)


@dataclass(frozen=True)
class Unsearchable:
    """Numbers of destinations without search keys.

    waiting: a worker adds them soon. unreadable: no encryption key decrypts their settings.
    """

    waiting: int
    unreadable: int


def write_search_keys(destination: AlertDestination, settings: Mapping[str, str], cipher: SettingsCipher) -> None:
    """Replace the search keys of a destination with those of its new settings, in the caller's transaction."""
    destination.search_mark = cipher.search.marks[0]
    _replace(destination.id, destination.workspace_id, destination.type, settings, cipher)


def erase_search_keys(destination: AlertDestination) -> None:
    """Delete the search keys of a destination, in the caller's transaction."""
    destination.search_mark = None
    db.session.execute(delete(SearchKey).where(SearchKey.destination_id == destination.id))


def count_unsearchable(cipher: SettingsCipher, workspace_ids: Sequence[int] | None = None) -> Unsearchable:
    """Count the destinations that have no search keys: in these workspaces, or in all. Executes one query."""
    is_unreadable = AlertDestination.search_mark == cipher.search.unreadable_mark
    query = select(func.count(), func.count().filter(is_unreadable)).where(_lacks(cipher.search.marks))
    if workspace_ids is not None:
        query = query.where(AlertDestination.workspace_id.in_(workspace_ids))
    lacking, unreadable = db.session.execute(query).one()
    return Unsearchable(lacking - unreadable, unreadable)


class SearchIndexing:
    """Adds the search keys that are missing, in passes of some milliseconds. clock: returns seconds."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock, self._next_scan_at = clock, 0.0
        self._read: deque[AlertDestination] = deque()
        self._is_last_page = False

    def add_missing(self, cipher: SettingsCipher) -> int:
        """Continue with the destinations that were read, or read a page of them. Returns how many it did."""
        started_at = self._clock()
        if not self._read:
            if started_at < self._next_scan_at:
                return 0
            self._read.extend(_read_page(cipher, cipher.search.marks))
            self._is_last_page = len(self._read) < PAGE_SIZE
        before = len(self._read)
        while self._read:
            _add(self._read.popleft(), cipher)
            if self._clock() >= started_at + PASS_TIME:
                break
        db.session.commit()
        if self._is_last_page and not self._read:
            self._next_scan_at = self._clock() + SCAN_INTERVAL.total_seconds()
        return before - len(self._read)


def renew_search_keys(cipher: SettingsCipher) -> None:
    """Make all search keys with the newest encryption key. Commits each page, so it is safe to run again."""
    while page := _read_page(cipher, cipher.search.marks[:1]):
        for destination in page:
            _add(destination, cipher)
        db.session.commit()


def _read_page(cipher: SettingsCipher, marks: Sequence[str]) -> list[AlertDestination]:
    """Return destinations without one of these marks, apart from the session: others may change their rows."""
    columns = (AlertDestination.id, AlertDestination.workspace_id, AlertDestination.type, AlertDestination.config)
    lacks = _lacks(marks) & _is_not(cipher.search.unreadable_mark)
    rows = db.session.execute(select(*columns).where(lacks).order_by(AlertDestination.id).limit(PAGE_SIZE))
    return [
        AlertDestination(id=row.id, workspace_id=row.workspace_id, type=row.type, config=row.config) for row in rows
    ]


def _add(destination: AlertDestination, cipher: SettingsCipher) -> None:
    try:
        settings = cipher.decrypt(destination.config, context=destination.encryption_context)
    except SettingsUnreadable:
        _mark(destination, cipher.search.unreadable_mark)
        return
    # Locks the row, so that settings that are saved meanwhile keep the search keys that they were saved with.
    if _mark(destination, cipher.search.marks[0]):
        _replace(destination.id, destination.workspace_id, destination.type, settings, cipher)


def _mark(destination: AlertDestination, mark: str) -> bool:
    """Mark a destination unless its settings have changed. Returns whether it did."""
    unchanged = (AlertDestination.id == destination.id) & (AlertDestination.config == destination.config)
    statement = update(AlertDestination).where(unchanged, AlertDestination.deleted_at.is_(None))
    marked = statement.values(search_mark=mark).returning(AlertDestination.id)
    return db.session.scalar(marked.execution_options(synchronize_session=False)) is not None


def _replace(
    destination_id: int, workspace_id: int, channel_name: str, settings: Mapping[str, str], cipher: SettingsCipher
) -> None:
    db.session.execute(delete(SearchKey).where(SearchKey.destination_id == destination_id))
    hashes = {cipher.search.make(term.kind, workspace_id, term.value) for term in list_terms(channel_name, settings)}
    if hashes:
        rows = [{"hash": value, "destination_id": destination_id} for value in sorted(hashes)]
        db.session.execute(insert(SearchKey), rows)


def _lacks(marks: Sequence[str]) -> ColumnElement[bool]:
    has_other = or_(AlertDestination.search_mark.is_(None), AlertDestination.search_mark.not_in(marks))
    return AlertDestination.deleted_at.is_(None) & has_other


def _is_not(mark: str) -> ColumnElement[bool]:
    return or_(AlertDestination.search_mark.is_(None), AlertDestination.search_mark != mark)
