"""The commands for workspaces."""

import pytest
from flask import Flask
from sqlalchemy import select

from tests.cli.commands import Run
from tests.factories import SeededIds
from webapp.environment.installation import COMMAND
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
