"""Downloads that run at once are counted until they are read to the end or given up."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import Executable, delete, update

from tests.factories import NOW, SeededIds, add_delivery, get_destination, on_both_databases
from tests.visitor import Visitor
from webapp.app_state import app_state
from webapp.extensions import db
from webapp.models import Account, Member, Role, SignIn, Workspace
from webapp.text.csv_export import BYTE_ORDER_MARK
from webapp.views.csv_downloads import INCOMPLETE, MAX_DOWNLOADS, MAX_OF_ACCOUNT

PATHS = [f"/w/harbor/{name}.csv" for name in ("history", "audit", "evidence/tests", "evidence/destinations")]


@pytest.mark.parametrize("path", PATHS)
def test_an_account_gets_another_download_once_one_is_over(
    app: Flask, seeded: SeededIds, visit: Callable[[int], Visitor], caplog: pytest.LogCaptureFixture, path: str
) -> None:
    caplog.set_level("INFO")
    running, admin = app_state(app).csv_downloads, visit(seeded.admin)
    running[seeded.admin] = MAX_OF_ACCOUNT - 1

    assert [admin.get(path).text[0] for _ in range(3)] == [BYTE_ORDER_MARK] * 3
    logged = caplog.messages.count("export started")
    running[seeded.admin] += 1
    refused = admin.get(path)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "10")
    assert "Too many downloads at once" in refused.text
    assert caplog.messages.count("export started") == logged == 3
    running[seeded.admin] -= 1
    assert admin.get(path).text.startswith(BYTE_ORDER_MARK)


def test_everybody_together_leaves_threads_for_other_pages(
    app: Flask, seeded: SeededIds, visit: Callable[[int], Visitor]
) -> None:
    running, admin = app_state(app).csv_downloads, visit(seeded.admin)
    others = {-number: 1 for number in range(MAX_DOWNLOADS)}
    running.update(others)

    assert admin.get(PATHS[0]).status_code == 429
    running[0] = 0
    assert admin.get(PATHS[0]).status_code == 200
    assert +running == {account: 1 for account in others if account}


@on_both_databases
@pytest.mark.parametrize("path", ["/w/harbor/history.csv", "/w/harbor/audit.csv", "/w/harbor/evidence/tests.csv"])
@pytest.mark.parametrize(
    "end_access",
    [
        update(Workspace).where(Workspace.slug == "harbor").values(deleted_at=NOW),
        update(Member).values(role=Role.VIEWER),
        update(Account).values(is_active=False),
        delete(Member),
    ],
    ids=["deleted", "lowered", "disabled", "removed"],
)
def test_a_file_says_that_it_is_incomplete_if_its_reader_lost_access_meanwhile(
    app: Flask, seeded: SeededIds, visit: Callable[[int], Visitor], path: str, end_access: Executable
) -> None:
    with app.app_context():
        add_delivery(get_destination(seeded), created_at=datetime.now(UTC))
    admin = visit(seeded.admin)
    complete = admin.get(path).text
    with admin.client.get(path, buffered=False) as response:
        parts = response.iter_encoded()
        header = next(parts)
        with app.app_context():
            db.session.execute(end_access)
            db.session.commit()

        assert b"".join(parts).decode() == INCOMPLETE
    assert complete.startswith(header.decode())
    assert INCOMPLETE not in complete


@on_both_databases
def test_a_file_is_complete_if_its_reader_got_a_higher_role_meanwhile(
    app: Flask, seeded: SeededIds, visit: Callable[[int], Visitor]
) -> None:
    with app.app_context():
        add_delivery(get_destination(seeded), created_at=datetime.now(UTC))
    viewer = visit(seeded.viewer)
    complete = viewer.get(PATHS[0]).text
    with viewer.client.get(PATHS[0], buffered=False) as response:
        parts = response.iter_encoded()
        header = next(parts)
        with app.app_context():
            db.session.execute(update(Member).values(role=Role.ADMIN))
            db.session.commit()

        assert (header + b"".join(parts)).decode() == complete


@on_both_databases
@pytest.mark.parametrize(
    "end_access",
    [update(Account).values(is_instance_admin=False), update(Account).values(is_active=False), delete(SignIn)],
    ids=["revoked", "disabled", "signed out"],
)
def test_the_installations_file_ends_with_the_rights_of_its_reader(
    app: Flask, seeded: SeededIds, visit: Callable[[int], Visitor], end_access: Executable
) -> None:
    with app.app_context():
        db.session.execute(update(Account).where(Account.id == seeded.admin).values(is_instance_admin=True))
        db.session.commit()
    admin = visit(seeded.admin)
    assert INCOMPLETE not in admin.get("/instance/audit.csv?of=all").text
    with admin.client.get("/instance/audit.csv?of=all", buffered=False) as response:
        parts = response.iter_encoded()
        next(parts)
        with app.app_context():
            db.session.execute(end_access)
            db.session.commit()

        assert b"".join(parts).decode() == INCOMPLETE


def test_the_installations_file_is_complete_for_a_session_of_a_link_from_the_command_line(
    app: Flask, seeded: SeededIds, visit: Callable[[int], Visitor]
) -> None:
    admin = visit(seeded.admin)
    with app.app_context():
        db.session.execute(update(SignIn).where(SignIn.account_id == seeded.admin).values(is_instance_admin=True))
        db.session.commit()

    page = admin.get("/instance/audit.csv?of=all")

    assert page.status_code == 200
    assert INCOMPLETE not in page.text


def test_a_download_whose_first_line_nobody_reads_is_over_too(
    app: Flask, seeded: SeededIds, visit: Callable[[int], Visitor]
) -> None:
    with visit(seeded.admin).client.head(PATHS[0]) as response:
        assert response.status_code == 200
        assert app_state(app).csv_downloads == {seeded.admin: 1}

    assert app_state(app).csv_downloads == {}
