"""The section of invitations: who may use it, and that a link is shown once."""

import re
from collections.abc import Callable
from dataclasses import asdict

import pytest
from flask import Flask
from sqlalchemy import select

from tests.auth.overlapping import run_overlapping
from tests.factories import SeededIds, on_both_databases
from tests.visitor import Visitor
from webapp.application import create_app
from webapp.extensions import db
from webapp.models import Invitation, Role
from webapp.settings import read_settings
from webapp.views.invitations import MAX_PER_HOUR, _count
from webapp.workspaces.invitations import MAX_INVITATIONS, end_invitation

Visit = Callable[[int], Visitor]

PAGE = "/w/harbor/members/invitations"
HTMX = {"HX-Request": "true"}
JO = {"role": "support", "email": "jo@example.com"}


def find_link(text: str) -> str:
    found = re.search(r'<input id="new-link" type="text" readonly value="([^"]+)">', text)
    return found[1] if found else ""


def _invitations(app: Flask) -> list[tuple[str | None, Role]]:
    with app.app_context():
        return [(row.email, row.role) for row in db.session.scalars(select(Invitation).order_by(Invitation.id))]


@on_both_databases
def test_an_admin_makes_an_invitation_whose_link_works(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    response = visit(seeded.admin).post(PAGE, JO, headers=HTMX)
    address = find_link(response.text)

    assert (response.status_code, _invitations(app)) == (200, [("jo@example.com", Role.SUPPORT)])
    assert response.text.lstrip().startswith("<section")
    assert address.startswith("http://localhost/invitation/open/")
    assert app.test_client().get(address.removeprefix("http://localhost")).status_code == 303


def test_a_link_begins_with_the_public_address(environment: dict[str, str], seeded: SeededIds) -> None:
    app = create_app(read_settings(environment | {"ALERTCHECK_PUBLIC_URL": "https://alertcheck.example.com"}))

    response = Visitor.signed_in(app, seeded.admin).post(PAGE, JO, headers=HTMX)

    assert find_link(response.text).startswith("https://alertcheck.example.com/invitation/open/")


@pytest.mark.parametrize("typed", ["", "   ", " Jo@Example.COM "])
@pytest.mark.parametrize("role", list(Role))
def test_the_role_is_chosen_and_the_address_optional(
    app: Flask, seeded: SeededIds, visit: Visit, role: str, typed: str
) -> None:
    visit(seeded.admin).post(PAGE, {"role": role, "email": typed})

    assert _invitations(app) == [(typed.strip().lower() or None, role)]


@pytest.mark.parametrize(
    "entered",
    [
        {"role": "owner"},
        {"role": ""},
        {"role": "Admin"},
        {"email": "jo"},
        {"email": "jo@exa\u200bmple.com"},
        {"email": "jo@example.com, kim@example.com"},
        {"email": "j" * 250 + "@example.com"},
    ],
)
def test_invalid_entries_are_refused_and_kept(
    app: Flask, seeded: SeededIds, visit: Visit, entered: dict[str, str]
) -> None:
    response = visit(seeded.admin).post(PAGE, JO | entered, headers=HTMX)

    assert (response.status_code, _invitations(app), find_link(response.text)) == (400, [], "")
    assert "<details open>" in response.text


def test_a_link_is_shown_once(seeded: SeededIds, visit: Visit) -> None:
    admin = visit(seeded.admin)
    address = find_link(admin.post(PAGE, JO, headers=HTMX).text)

    pages = [admin.get(path).text for path in (PAGE, "/w/harbor/audit")]
    assert address
    assert [page for page in pages if address.rpartition("/")[2] in page] == []


def test_without_javascript_a_new_link_has_a_page(seeded: SeededIds, visit: Visit) -> None:
    response = visit(seeded.admin).post(PAGE, JO)

    assert "<title>Invitations · Harbor Logistics · Alertcheck</title>" in response.text
    assert find_link(response.text)


def test_the_page_lists_for_whom_by_whom_and_until_when(seeded: SeededIds, visit: Visit) -> None:
    admin = visit(seeded.admin)
    for entered in (JO, {"role": "viewer"}):
        admin.post(PAGE, entered)

    page = re.sub(r"\s+", " ", admin.get(PAGE).text)

    assert "<bdi>jo@example.com</bdi></b>, as support. Invited by <bdi>Admin</bdi>. Ends" in page
    assert "<b>Whoever has the link</b>, as viewer. Invited by <bdi>Admin</bdi>. Ends" in page


def test_a_renewal_shows_a_new_link_and_ends_the_old_one(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    admin, stranger = visit(seeded.admin), app.test_client()
    old = find_link(admin.post(PAGE, JO, headers=HTMX).text)
    new = find_link(admin.post(f"{PAGE}/1/renew", headers=HTMX).text)

    statuses = [stranger.get(address.removeprefix("http://localhost")).status_code for address in (old, new)]
    assert (statuses, len(_invitations(app))) == ([404, 303], 1)


@pytest.mark.parametrize(("headers", "status"), [(HTMX, 200), ({}, 303)])
def test_a_revoked_invitation_stops_working_at_once(
    app: Flask, seeded: SeededIds, visit: Visit, headers: dict[str, str], status: int
) -> None:
    admin = visit(seeded.admin)
    path = find_link(admin.post(PAGE, JO, headers=HTMX).text).removeprefix("http://localhost")
    before = app.test_client().get(path).status_code
    revoked = admin.post(f"{PAGE}/1/revoke", headers=headers)

    assert (before, revoked.status_code, app.test_client().get(path).status_code) == (303, status, 404)
    assert "The invitation was revoked." in (revoked.text if headers else admin.get(PAGE).text)


@pytest.mark.parametrize("act", ["renew", "revoke"])
@pytest.mark.parametrize("invitation", ["2", "0", "x", "01", "9" * 40])
def test_an_unknown_invitation_can_be_neither_renewed_nor_revoked(
    seeded: SeededIds, visit: Visit, act: str, invitation: str
) -> None:
    admin = visit(seeded.admin)
    admin.post(PAGE, JO)

    assert admin.post(f"{PAGE}/{invitation}/{act}").status_code == 404


@on_both_databases
def test_a_renewal_while_somebody_else_revokes_the_invitation_finds_it_gone(
    app: Flask, seeded: SeededIds, visit: Visit
) -> None:
    admin, statuses = visit(seeded.admin), list[int]()
    admin.post(PAGE, JO)

    failed = run_overlapping(
        app, lambda: end_invitation(1), lambda: statuses.append(admin.post(f"{PAGE}/1/renew").status_code)
    )

    assert (failed, statuses, _invitations(app)) == ([None, None], [404], [])


@pytest.mark.parametrize("act", ["renew", "revoke"])
def test_an_invitation_of_another_workspace_is_not_found(app: Flask, seeded: SeededIds, visit: Visit, act: str) -> None:
    visit(seeded.stranger).post("/w/clinic/members/invitations", JO)
    statuses = [
        visit(seeded.admin).post(f"{PAGE}/1/{act}").status_code,
        visit(seeded.admin).post(f"/w/clinic/members/invitations/1/{act}").status_code,
    ]

    assert (statuses, len(_invitations(app))) == ([404, 404], 1)


@pytest.mark.parametrize(("who", "status"), [("support", 403), ("viewer", 403), ("stranger", 404)])
@pytest.mark.parametrize("path", ["", "/1/renew", "/1/revoke"])
def test_nobody_but_an_admin_invites(
    app: Flask, seeded: SeededIds, visit: Visit, who: str, status: int, path: str
) -> None:
    visit(seeded.admin).post(PAGE, JO)
    other = visit(asdict(seeded)[who])

    assert (other.post(f"{PAGE}{path}", {"role": "admin"}).status_code, other.get(PAGE).status_code) == (status, status)
    assert _invitations(app) == [("jo@example.com", Role.SUPPORT)]


def test_the_response_does_not_tell_whether_an_address_has_an_account(seeded: SeededIds, visit: Visit) -> None:
    admin, pages = visit(seeded.admin), []
    for number, email in enumerate(("stranger@example.com", "nobodyy@example.com"), start=1):
        text = admin.post(PAGE, {"role": "viewer", "email": email}, headers=HTMX).text
        pages.append(re.sub(r"/open/[\w-]+|ImY[^\"]+|[\d.T-]+:[\d.]+:[\d.]+", "", text.replace(email, "A")))
        admin.post(f"{PAGE}/{number}/revoke")

    assert pages[0].replace("/1/", "/2/") == pages[1]


def test_more_invitations_than_a_workspace_may_have_are_refused_with_the_reason(
    app: Flask, seeded: SeededIds, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.workspaces.invitations.MAX_INVITATIONS", 2)
    admin = visit(seeded.admin)
    statuses = [admin.post(PAGE, {"role": "viewer"}, headers=HTMX).status_code for _ in range(3)]

    assert (statuses, len(_invitations(app))) == ([200, 200, 409], 2)
    assert MAX_INVITATIONS == 50


def test_more_links_than_a_workspace_may_make_in_an_hour_are_refused_with_the_reason(
    app: Flask, seeded: SeededIds, visit: Visit
) -> None:
    admin, support = visit(seeded.admin), visit(seeded.support)
    for _ in range(10):
        support.post(PAGE, JO)  # whoever may not invite uses up nothing
    _use_up(app, MAX_PER_HOUR - 1)
    last, refused = admin.post(PAGE, JO, headers=HTMX), admin.post(f"{PAGE}/1/renew", headers=HTMX)

    assert (last.status_code, refused.status_code, find_link(refused.text)) == (200, 409, "")
    assert "this workspace has made 60 links within an hour" in refused.text
    assert visit(seeded.stranger).post("/w/clinic/members/invitations", JO).status_code == 200


def _use_up(app: Flask, count: int) -> None:
    """Count as many links of the harbor workspace as earlier requests would have."""
    for _ in range(count):
        with app.test_request_context(PAGE, method="POST"):
            _count()
