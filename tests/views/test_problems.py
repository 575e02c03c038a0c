"""The pages of problems: what each role sees, who was told, one's own choice, and mail that does not work."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import delete, update

from tests.factories import NOW, SeededIds
from tests.mailbox import mail_settings
from tests.notices.conftest import REFERENCE, Installation, MovedClock
from tests.scripted_mail_server import ScriptedMailServer
from tests.visitor import Visitor
from webapp.app_state import app_state
from webapp.extensions import db
from webapp.models import Account, AlertDelivery, NoticePreference, Receipt
from webapp.views.metrics_exposition import Scrape

Visit = Callable[[int], Visitor]

PAGE = "/w/harbor/problems"
PREFERENCES = "/w/harbor/problems/preferences"


@pytest.fixture
def has_mail(request: pytest.FixtureRequest) -> bool:
    return getattr(request, "param", True)


@pytest.fixture
def environment(environment: dict[str, str], mailbox: ScriptedMailServer, has_mail: bool) -> dict[str, str]:
    return environment | mail_settings(mailbox) if has_mail else environment


@pytest.fixture
def installation(app: Flask, seeded: SeededIds, mailbox: ScriptedMailServer) -> Installation:
    with app.app_context():
        db.session.execute(update(Account).values(email_verified_at=NOW))
        db.session.commit()
        now = app_state(app).clock.now()
    return Installation(app, MovedClock(now), mailbox, seeded)


def test_a_workspace_without_problems_says_so(seeded: SeededIds, visit: Visit) -> None:
    page = visit(seeded.viewer).get(PAGE).text

    assert "No destination has a problem." in page


@pytest.mark.parametrize("who", ["admin", "support", "viewer"])
def test_every_member_sees_the_cause_the_next_step_and_who_was_told(
    installation: Installation, visit: Visit, who: str
) -> None:
    app_state(installation.app).clock = installation.clock
    installation.fail()
    installation.work()

    page = visit(getattr(installation.seeded, who)).get(PAGE).text

    assert "Open: 1" in page
    assert "Messages fail" in page
    assert "1 message failed" not in page
    assert "<b>Next:</b>" in page
    assert "<bdi>Admin</bdi> was told by mail" in page
    assert "canary" not in page


def test_the_reference_to_search_for_is_beside_the_cause(installation: Installation, visit: Visit) -> None:
    app_state(installation.app).clock = installation.clock
    installation.report(installation.accept(), Receipt.MISSING)

    page = visit(installation.seeded.admin).get(PAGE).text

    assert f'did not arrive. <span>ref <a href="/r/{REFERENCE}">' in page


def test_a_problem_whose_message_is_deleted_has_no_reference(installation: Installation, visit: Visit) -> None:
    app_state(installation.app).clock = installation.clock
    installation.report(installation.accept(), Receipt.MISSING)
    with installation.app.app_context():
        db.session.execute(delete(AlertDelivery))
        db.session.commit()

    page = visit(installation.seeded.admin).get(PAGE).text

    assert "did not arrive.</p>" in page


def test_a_mail_that_waits_is_said_to_be_under_way(installation: Installation, visit: Visit) -> None:
    app_state(installation.app).clock = installation.clock
    installation.fail()
    installation.work(is_mail_sent=False)

    assert "<bdi>Admin</bdi> is being told by mail" in visit(installation.seeded.admin).get(PAGE).text


def test_a_problem_that_ended_stays_on_the_page_with_its_end(installation: Installation, visit: Visit) -> None:
    app_state(installation.app).clock = installation.clock
    installation.report(installation.accept(), Receipt.MISSING)
    installation.accept()
    installation.work()

    page = visit(installation.seeded.admin).get(PAGE).text

    assert "Open: 0" in page
    assert "Recently ended" in page
    assert "A later message was accepted, and nobody has reported it missing." in page


def test_a_mail_that_could_not_be_sent_is_said_to_be_broken(installation: Installation, visit: Visit) -> None:
    app_state(installation.app).clock = installation.clock
    installation.mailbox.script["MAIL"] = "550 5.7.1 no"
    installation.fail()
    installation.work()

    page = visit(installation.seeded.admin).get(PAGE).text

    assert "The last mail about a destination that stopped working could not be sent." in page
    assert "could not be told by mail" in page
    assert "alertcheck_notices_broken 1.0" in _read_metrics(installation.app)


def test_a_mail_that_was_sent_since_ends_the_warning(installation: Installation, visit: Visit) -> None:
    app_state(installation.app).clock = installation.clock
    installation.mailbox.script["MAIL"] = "550 5.7.1 no"
    installation.fail()
    installation.work()
    installation.mailbox.script["MAIL"] = "250 ok"
    installation.wait(hours=1)
    installation.work()

    page = visit(installation.seeded.admin).get(PAGE).text

    assert "could not be sent" not in page
    assert "was told by mail" in page


@pytest.mark.parametrize("has_mail", [False], indirect=True)
def test_an_installation_without_mail_says_what_to_do(installation: Installation, visit: Visit) -> None:
    assert "mail is not set up" not in visit(installation.seeded.admin).get(PAGE).text

    installation.fail()
    installation.work()

    page = visit(installation.seeded.admin).get(PAGE).text
    assert "mail is not set up" in page
    assert "ALERTCHECK_MAIL_URL" in page
    assert installation.list_notices() == []


def _read_metrics(app: Flask) -> str:
    with app.app_context():
        samples = [sample for metric in Scrape().collect() for sample in metric.samples]
    return "\n".join(f"{sample.name}{dict(sample.labels) or ''} {sample.value}" for sample in samples)


def test_the_metrics_count_open_problems_and_notices(installation: Installation) -> None:
    app_state(installation.app).clock = installation.clock
    installation.fail()
    installation.work()
    installation.wait(seconds=90)

    metrics = _read_metrics(installation.app)

    assert "alertcheck_open_problems{'kind': 'failing'} 1" in metrics
    assert "alertcheck_open_problems{'kind': 'missing'} 0" in metrics
    assert "alertcheck_oldest_problem_age_seconds 90.0" in metrics
    assert "alertcheck_notices{'status': 'sent'} 1" in metrics
    assert "alertcheck_notices_broken 0.0" in metrics

    installation.wait(days=7)
    assert "alertcheck_notices{'status': 'sent'} 0" in _read_metrics(installation.app)


@pytest.mark.parametrize(("who", "wants"), [("admin", True), ("support", False)])
def test_the_choice_begins_with_the_default_of_the_role(seeded: SeededIds, visit: Visit, who: str, wants: bool) -> None:
    page = visit(getattr(seeded, who)).get(PREFERENCES).text

    assert "You have not chosen yet" in page
    assert f'value="{"yes" if wants else "no"}" checked' in page
    assert "Your email address is not confirmed" in page


def test_a_member_chooses_and_changes_it(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    viewer = visit(seeded.viewer)

    for answer in ("yes", "no", "yes"):
        response = viewer.post(PREFERENCES, {"mail": answer})
        assert response.status_code == 303

    assert "You have not chosen yet" not in viewer.get(PREFERENCES).text
    with app.app_context():
        (preference,) = db.session.query(NoticePreference).all()
        assert (preference.account_id, preference.wants_mail) == (seeded.viewer, True)


LIST = "/w/harbor/destinations"
# A page of each tab, and one below a tab.
PAGES = [LIST, f"{LIST}/1", "/w/harbor/history", "/w/harbor/evidence", "/w/harbor/drills", PAGE, "/w/harbor/members"]


@pytest.mark.parametrize("has_mail", [False], indirect=True)
@pytest.mark.parametrize("path", PAGES)
def test_an_admin_reads_on_every_page_of_the_workspace_that_nobody_is_told(
    installation: Installation, visit: Visit, path: str
) -> None:
    app_state(installation.app).clock = installation.clock
    admin, banner = visit(installation.seeded.admin), 'id="mail-trouble"'
    assert banner not in admin.get(path).text

    installation.fail()

    page = admin.get(path).text
    assert page.count(banner) == 1
    assert "ALERTCHECK_MAIL_URL" in page


@pytest.mark.parametrize("has_mail", [False], indirect=True)
def test_other_members_and_other_workspaces_are_not_troubled(installation: Installation, visit: Visit) -> None:
    app_state(installation.app).clock = installation.clock
    installation.fail()

    viewer = visit(installation.seeded.viewer)
    assert "mail-trouble" not in viewer.get(LIST).text
    assert viewer.get(PAGE).text.count("mail-trouble") == 1
    assert "mail-trouble" not in visit(installation.seeded.stranger).get("/w/clinic/problems").text


@pytest.mark.parametrize("path", PAGES)
def test_the_tab_counts_the_open_problems(installation: Installation, visit: Visit, path: str) -> None:
    app_state(installation.app).clock = installation.clock
    admin = visit(installation.seeded.admin)
    assert "Problems (" not in admin.get(path).text

    installation.fail()
    installation.fail()  # the same problem
    installation.report(installation.accept(), Receipt.MISSING)

    assert "Problems (2)</a>" in admin.get(path).text
    assert "Problems (" not in visit(installation.seeded.stranger).get("/w/clinic/destinations").text


def test_an_open_list_is_sent_again_when_a_problem_opens(installation: Installation, visit: Visit) -> None:
    admin = visit(installation.seeded.admin)
    shown = admin.get(LIST).text.partition('data-version="')[2].partition('"')[0]
    ask = {"HX-Request": "true", "HX-Source": "div#page", "If-None-Match": f'W/"{shown}"'}
    assert admin.get(LIST, headers=ask).status_code == 304

    installation.fail()  # a real alert, which no row of the list shows

    assert admin.get(LIST, headers=ask).status_code == 200
