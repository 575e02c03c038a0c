"""The commands for workspaces."""

import pytest
from flask import Flask
from sqlalchemy import select

from tests.cli.commands import Run
from tests.factories import SeededIds
from webapp.environment.installed_program import COMMAND
from webapp.extensions import db
from webapp.models import Workspace


def test_a_workspace_is_added_and_the_next_command_is_shown(app: Flask, run: Run) -> None:
    result = run("add-workspace", "harbor", "Hafen & Söhne")

    assert (result.exit_code, f"{COMMAND} add-member harbor EMAIL admin" in result.output) == (0, True)
    with app.app_context():
        assert [(w.slug, w.name) for w in db.session.scalars(select(Workspace))] == [("harbor", "Hafen & Söhne")]


@pytest.mark.parametrize("slug", ["a", "a-1", "0", "a" * 63])
def test_a_slug_has_up_to_63_lower_case_letters_digits_and_hyphens(run: Run, slug: str) -> None:
    assert run("add-workspace", slug, "Any").exit_code == 0


@pytest.mark.parametrize("slug", ["a" * 64, "", "A", "a b", "a/b", "a_b", "ä", "²", "a.b", "a%62", "-"])
def test_any_other_slug_is_refused(app: Flask, run: Run, slug: str) -> None:
    result = run("add-workspace", "--", slug, "Any")

    assert result.exit_code == 1
    assert "A slug has up to 63 lowercase letters, digits and hyphens." in result.output
    with app.app_context():
        assert db.session.scalars(select(Workspace)).all() == []


def test_a_slug_that_is_taken_is_refused(seeded: SeededIds, run: Run) -> None:
    result = run("add-workspace", "harbor", "Another")

    assert (result.exit_code, result.output) == (1, "Error: A workspace harbor already exists.\n")


@pytest.mark.parametrize(
    ("name", "stored"), [("Ops\u202e\nNext step: call\u200b", "Ops Next step: call"), (" Ops\udcff ", "Ops")]
)
def test_a_workspaces_name_is_cleaned(app: Flask, run: Run, name: str, stored: str) -> None:
    assert run("add-workspace", "harbor", name).exit_code == 0
    with app.app_context():
        assert db.session.scalars(select(Workspace.name)).all() == [stored]


@pytest.mark.parametrize(
    ("name", "sentence"), [("\u200b\u3164", "The name has no visible character."), ("x" * 201, "The name is too long.")]
)
def test_a_workspace_without_a_usable_name_is_refused(run: Run, name: str, sentence: str) -> None:
    result = run("add-workspace", "harbor", name)

    assert (result.exit_code, sentence in result.output) == (2, True)


def _names(app: Flask) -> dict[str, str]:
    query = select(Workspace.slug, Workspace.name).where(Workspace.deleted_at.is_(None))
    with app.app_context():
        return {row.slug: row.name for row in db.session.execute(query)}


def test_workspaces_are_listed_with_what_they_have(seeded: SeededIds, run: Run) -> None:
    assert run("list-workspaces").output.splitlines() == [
        "SLUG    MEMBERS  DESTINATIONS  NAME",
        "clinic  1        1             Mill Street Clinic",
        "harbor  3        1             Harbor Logistics",
    ]


def test_a_renamed_workspace_keeps_its_slug(app: Flask, seeded: SeededIds, run: Run) -> None:
    result = run("rename-workspace", "harbor", " Port\u200b Authority ")

    assert result.output == "harbor is now called Port Authority.\n"
    assert _names(app) == {"harbor": "Port Authority", "clinic": "Mill Street Clinic"}
    assert run("rename-workspace", "harbor", "Port Authority").output == "harbor is already called Port Authority.\n"


def test_a_deletion_says_what_is_lost_and_asks_for_the_slug(app: Flask, seeded: SeededIds, run: Run) -> None:
    result = run("delete-workspace", "harbor", typed="harbor\n")

    assert result.output.splitlines() == [
        "Harbor Logistics (/w/harbor) would be lost, with everything in it:",
        "  3 memberships; the accounts stay",
        "  1 destination",
        "  0 deliveries, 0 of them still to be sent",
        "No workspace gets the slug harbor again. The audit trail stays in the database.",
        "Type the slug to delete it, or press Ctrl-C: harbor",
        "harbor is deleted. A worker deletes what is left of its deliveries.",
    ]
    assert _names(app) == {"clinic": "Mill Street Clinic"}


@pytest.mark.parametrize("typed", ["y\n", "Harbor\n", "clinic\n", ""])
def test_a_deletion_without_the_slug_deletes_nothing(app: Flask, seeded: SeededIds, run: Run, typed: str) -> None:
    assert run("delete-workspace", "harbor", typed=typed).exit_code == 1
    assert set(_names(app)) == {"harbor", "clinic"}


def test_the_slug_of_a_deleted_workspace_is_never_given_out_again(seeded: SeededIds, run: Run) -> None:
    run("delete-workspace", "harbor", typed="harbor\n")
    result = run("add-workspace", "harbor", "Another")

    assert (result.exit_code, "was deleted" in result.output) == (1, True)


@pytest.mark.parametrize("words", [("rename-workspace", "dock", "Dock"), ("delete-workspace", "dock")])
def test_an_unknown_workspace_is_neither_renamed_nor_deleted(run: Run, words: tuple[str, ...]) -> None:
    result = run(*words, typed="dock\n")

    assert (result.exit_code, "No workspace dock exists." in result.output) == (1, True)
