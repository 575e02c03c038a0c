"""Loads pages of the audit trail of a workspace, of the installation, or of both and all others."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute

from webapp.audit import Actor
from webapp.audit_trail.filters import AuditFilter
from webapp.database.keyset_pages import PAGE_SIZE, KeysetList, KeysetPage
from webapp.models import AuditEvent, Workspace
from webapp.text.cursors import Cursor
from webapp.time_zones import begin_of_day, end_of_day


@dataclass(frozen=True)
class Trail:
    """Whose events: those of a workspace, or of the installation (None). covers_all: those of everything."""

    workspace_id: int | None
    covers_all: bool = False


INSTALLATION = Trail(None)
EVERYTHING = Trail(None, covers_all=True)


@dataclass(frozen=True)
class AuditEntry:
    """An event. workspace: None if it concerns the installation, or a workspace that was deleted."""

    event: AuditEvent
    workspace: Workspace | None


_ENTRIES = KeysetList(
    select(AuditEvent, Workspace).outerjoin(Workspace, Workspace.id == AuditEvent.workspace_id),
    AuditEntry,
    AuditEvent.happened_at,
    AuditEvent.id,
    lambda entry: Cursor(entry.event.happened_at, entry.event.id),
)


def list_page(
    trail: Trail, criteria: AuditFilter, before: Cursor | None = None, size: int = PAGE_SIZE
) -> KeysetPage[AuditEntry]:
    """Return the newest events older than a cursor. Executes at most two queries; neither sorts.

    An index serves the workspace with the person, or else with the action; without a workspace, only the person.
    """
    constant = _list_constant(trail, criteria)
    by_index = [*(column == value for column, value in constant.items()), *_range(criteria)]
    by_row = list(_list_checked(constant, criteria))
    return _ENTRIES.fetch_page(
        by_index, by_row, before, size, [column for column in constant if constant[column] is None]
    )


def _list_constant(trail: Trail, criteria: AuditFilter) -> dict[InstrumentedAttribute[Any], object]:
    """Return the first columns of the index that serves this filter, with their values."""
    constant: dict[InstrumentedAttribute[Any], object] = {}
    if not trail.covers_all:
        constant[AuditEvent.workspace_id] = trail.workspace_id
    if criteria.who is not None:
        constant[AuditEvent.account_id] = None if isinstance(criteria.who, Actor) else criteria.who
    elif criteria.action and not trail.covers_all:
        constant[AuditEvent.action] = criteria.action.value
    return constant


def _list_checked(
    constant: Collection[InstrumentedAttribute[Any]], criteria: AuditFilter
) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions that are left for each row."""
    if isinstance(criteria.who, Actor):
        yield AuditEvent.account_name == criteria.who.name
    if criteria.action and AuditEvent.action not in constant:
        yield AuditEvent.action == criteria.action.value


def _range(criteria: AuditFilter) -> Iterator[ColumnElement[bool]]:
    if criteria.since is not None:
        yield AuditEvent.happened_at >= begin_of_day(criteria.since, criteria.zone)
    if criteria.until is not None:
        yield AuditEvent.happened_at < end_of_day(criteria.until, criteria.zone)
