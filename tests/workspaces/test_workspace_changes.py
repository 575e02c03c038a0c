"""Workspaces: opened under a slug of their own, and renamed."""

import pytest
from sqlalchemy import select

from tests.factories import (
    NOW,
    SeededIds,
    get_workspace,
    on_both_databases,
)
from webapp.audit import COMMAND_LINE, describe_change
from webapp.extensions import db
from webapp.models import AuditEvent
from webapp.text.slugs import InvalidSlug
from webapp.workspaces.workspace_changes import SlugUsed, find_workspace, open_workspace, rename_workspace
from webapp.workspaces.workspace_deletion import delete_workspace

pytestmark = [on_both_databases, pytest.mark.usefixtures("context")]


def _delete(seeded: SeededIds) -> None:
    delete_workspace(get_workspace(seeded), NOW, COMMAND_LINE)
    db.session.commit()


def _trail(workspace_id: int | None) -> list[tuple[str, str, list[str]]]:
    events = select(AuditEvent).where(AuditEvent.workspace_id == workspace_id).order_by(AuditEvent.id)
    return [(event.action, event.subject, event.changed) for event in db.session.scalars(events)]


# Opening


def test_an_opened_workspace_is_found_by_its_slug() -> None:
    workspace = open_workspace("yard", "Ship yard", NOW, COMMAND_LINE)
    db.session.commit()

    assert find_workspace("yard") is workspace
    assert _trail(workspace.id) == [("added the workspace", "Ship yard", [])]
    assert _trail(None) == [("added the workspace", "Ship yard (workspace yard)", [])]


@pytest.mark.parametrize("slug", ["", "-", "Yard", "ship yard", "schiff-ä", "a" * 64, "yard\0"])
def test_a_slug_that_is_none_is_refused(slug: str) -> None:
    with pytest.raises(InvalidSlug):
        open_workspace(slug, "Ship yard", NOW, COMMAND_LINE)


def test_the_slug_of_another_workspace_is_refused(seeded: SeededIds) -> None:
    with pytest.raises(SlugUsed, match="A workspace harbor already exists"):
        open_workspace("harbor", "Another", NOW, COMMAND_LINE)


@pytest.mark.parametrize("is_gone", [False, True], ids=["being deleted", "gone"])
def test_the_slug_of_a_deleted_workspace_is_refused(seeded: SeededIds, is_gone: bool) -> None:
    opened = open_workspace("yard", "Ship yard", NOW, COMMAND_LINE)
    delete_workspace(opened, NOW, COMMAND_LINE)
    if is_gone:
        db.session.delete(opened)
    db.session.commit()

    with pytest.raises(SlugUsed, match="was deleted, and no other workspace gets its slug"):
        open_workspace("yard", "Another", NOW, COMMAND_LINE)


def test_the_slug_of_a_deleted_workspace_that_was_not_opened_here_is_refused_too(seeded: SeededIds) -> None:
    _delete(seeded)

    with pytest.raises(SlugUsed):
        open_workspace("harbor", "Another", NOW, COMMAND_LINE)


# Renaming


def test_a_new_name_is_in_both_trails(seeded: SeededIds) -> None:
    workspace = get_workspace(seeded)

    assert rename_workspace(workspace, "Harbor South", NOW, COMMAND_LINE)
    db.session.commit()
    assert workspace.name == "Harbor South"
    record = [describe_change("name", "Harbor Logistics", "Harbor South")]
    assert _trail(seeded.harbor)[-1] == ("renamed the workspace", "Harbor South", record)
    assert _trail(None) == [("renamed the workspace", "Harbor South (workspace harbor)", record)]


def test_the_same_name_again_is_not_recorded(seeded: SeededIds) -> None:
    assert not rename_workspace(get_workspace(seeded), "Harbor Logistics", NOW, COMMAND_LINE)
    assert _trail(None) == []
