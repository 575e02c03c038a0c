"""Mailed invitations, from the request to the mail server: what they say, which link works, and what cancels them."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from tests.factories import SeededIds, get_account, get_workspace, on_both_databases
from tests.mailbox import PUBLIC_URL, deliver_mails, find_paths, mail_settings, read_mails, read_text
from tests.scripted_mail_server import HANG_UP, ScriptedMailServer
from webapp.account_mail import sending
from webapp.application import create_app
from webapp.audit import COMMAND_LINE
from webapp.auth.access import Visit
from webapp.auth.accounts import add_account
from webapp.extensions import db
from webapp.models import Account, AccountMail, AccountMailStatus, AuditEvent, Invitation, Member, Role, database_clock
from webapp.settings import read_settings
from webapp.views.invitation import bp
from webapp.worker.account_mails import send_mail
from webapp.workspaces import invitation_mails
from webapp.workspaces.invitation_acceptance import accept, open_invitation
from webapp.workspaces.invitations import (
    NewLink,
    end_invitations_of,
    list_invitations,
    make_invitation,
    renew_invitation,
    revoke_invitation,
)
from webapp.workspaces.workspace_deletion import delete_workspace

JO = "jo@example.com"


@pytest.fixture
def environment(environment: dict[str, str], mailbox: ScriptedMailServer) -> dict[str, str]:
    return environment | mail_settings(mailbox)


def visit_of(seeded: SeededIds) -> Visit:
    return Visit(get_account(seeded), get_workspace(seeded), Role.ADMIN)


def invite(app: Flask, seeded: SeededIds, email: str | None = JO, role: Role = Role.SUPPORT) -> NewLink:
    with app.app_context():
        return make_invitation(visit_of(seeded), role, email, database_clock.now())


def renew(app: Flask, seeded: SeededIds) -> NewLink:
    with app.app_context():
        [invitation] = list_invitations(seeded.harbor)
        link = renew_invitation(visit_of(seeded), invitation.id, database_clock.now())
        assert link is not None
        return link


def mails(app: Flask) -> list[AccountMail]:
    with app.app_context():
        found = list(db.session.scalars(select(AccountMail).order_by(AccountMail.id)))
        db.session.expunge_all()
        return found


def statuses(app: Flask) -> list[tuple[str, str | None]]:
    return [(mail.status.value, mail.error_code) for mail in mails(app)]


def mailed_token(mailbox: ScriptedMailServer, number: int = -1) -> str:
    return find_paths(mailbox)[number].rpartition("/")[2]


def opens(app: Flask, token: str) -> bool | None:
    """Return whether a link is the mailed one; None if it opens nothing."""
    with app.app_context():
        opened = open_invitation(token, datetime.now(UTC))
        return opened.is_mailed if opened else None


# What it says


@on_both_databases
def test_the_mail_says_who_invites_to_what_as_what_and_until_when(
    app: Flask, seeded: SeededIds, mailbox: ScriptedMailServer
) -> None:
    link = invite(app, seeded)
    deliver_mails(app)

    (mail,) = read_mails(mailbox)
    text = " ".join(read_text(mail).split())
    with app.app_context():
        [invitation] = list_invitations(seeded.harbor)
        end = f"{invitation.expires_at:%Y-%m-%d %H:%M} UTC"
    assert (mail["To"], mail["Subject"]) == (JO, "Invitation to “Harbor Logistics” in Alertcheck")
    assert f"“Admin” invites you to the workspace “Harbor Logistics” of Alertcheck at {PUBLIC_URL} as support" in text
    assert "(tests destinations)" in text
    assert f"The link works once, until {end}, and only for {JO}." in text
    assert "If you don't expect this, ignore this mail" in text
    assert link.token not in text
    assert statuses(app) == [("sent", None)]


def test_the_link_is_the_route_of_an_invitation(app: Flask) -> None:
    with app.test_request_context():
        path = app.url_for(f"{bp.name}.open_link", invitation_token="x", _external=False)

    assert path == f"{invitation_mails.INVITATION_PATH}x"


@pytest.mark.parametrize(
    "name",
    [
        "Harbor\r\nBcc: eve@example.com",
        "<b>Harbor</b><script>alert(1)</script>",
        "=?utf-8?q?Harbor=0d=0aBcc:_eve@example.com?=",
        "\u202eHarbor",
        "مرفأ ” Logistics",
        "H" * 200,
        "港" * 200,
        '"Harbor" & Co.',
    ],
)
def test_no_name_changes_the_mail_around_it(
    app: Flask, seeded: SeededIds, mailbox: ScriptedMailServer, name: str
) -> None:
    with app.app_context():
        get_workspace(seeded).name = get_account(seeded).name = name
        db.session.commit()
    invite(app, seeded)
    deliver_mails(app)

    (mail,) = read_mails(mailbox)
    html = mail.get_body(("html",))
    assert html is not None
    page = html.get_content()
    assert (mail["Bcc"], mail["To"], statuses(app)) == (None, JO, [("sent", None)])
    assert mail["Subject"].startswith("Invitation to ")
    assert mail["Subject"].endswith(" in Alertcheck")
    assert len(mail["Subject"]) <= 100
    assert "\u202e" not in read_text(mail) + page
    assert re.findall(r"<(?!/)(\w+)", page) == ["html", "body", "h1", "p", "p", "a", "p", "p"]
    assert [len(line) for line in mailbox.messages[0].split(b"\r\n") if len(line) > 998] == []


# Who gets one


def test_an_invitation_without_an_address_is_not_mailed(app: Flask, seeded: SeededIds) -> None:
    invite(app, seeded, None)

    assert statuses(app) == []


@pytest.mark.parametrize("missing", ["ALERTCHECK_MAIL_URL", "ALERTCHECK_PUBLIC_URL"])
def test_without_mail_none_is_requested(
    app: Flask, environment: dict[str, str], seeded: SeededIds, missing: str
) -> None:
    without = {name: text for name, text in environment.items() if name != missing}
    invite(create_app(read_settings(without)), seeded)

    assert statuses(app) == []


@on_both_databases
def test_a_refused_invitation_is_not_mailed(app: Flask, seeded: SeededIds) -> None:
    with pytest.raises(Exception, match="is already a member"):
        invite(app, seeded, "support@example.com")

    assert statuses(app) == []


def test_an_address_to_which_no_mail_can_be_sent_is_said_to_be_invalid(app: Flask, seeded: SeededIds) -> None:
    invite(app, seeded, "a,b@example.com")
    deliver_mails(app)

    assert statuses(app) == [("failed", "recipient_invalid")]


def test_few_mails_are_sent_for_one_invitation_in_an_hour(
    app: Flask, seeded: SeededIds, mailbox: ScriptedMailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.worker.account_mails.admit_recipient", lambda _address: True)
    invite(app, seeded)
    for _ in range(3):
        renew(app, seeded)  # before a worker takes them, so they are canceled and do not count
    deliver_mails(app)
    for _ in range(sending.MAX_PER_HOUR):
        renew(app, seeded)
        deliver_mails(app)

    assert len(mailbox.messages) == sending.MAX_PER_HOUR
    assert statuses(app)[-1] == ("failed", "recipient_limit")


def test_it_counts_against_the_limit_of_its_recipient(
    app: Flask, seeded: SeededIds, mailbox: ScriptedMailServer
) -> None:
    limit = app.extensions["alertcheck"].settings.send_limits.per_recipient
    for number in range(limit + 1):
        link = invite(app, seeded, JO)
        deliver_mails(app)
        with app.app_context():
            revoke_invitation(db.session.merge(link.invitation), get_account(seeded), database_clock.now())
        assert len(mailbox.messages) == min(number + 1, limit)

    assert statuses(app)[-1] == ("failed", "recipient_limit")


# Its link


@on_both_databases
def test_the_mailed_link_proves_the_address_and_the_copied_one_does_not(
    app: Flask, seeded: SeededIds, mailbox: ScriptedMailServer
) -> None:
    link = invite(app, seeded)
    assert mails(app)[0].address is None
    deliver_mails(app)
    token = mailed_token(mailbox)

    assert (opens(app, link.token), opens(app, token)) == (False, True)
    with app.app_context():
        jo = add_account(JO, "Jo", None, database_clock.now())
        accept(token, jo, database_clock.now())
        assert db.session.get_one(Account, jo.id).email_verified_at is not None
    assert (opens(app, link.token), opens(app, token)) == (None, None)


@on_both_databases
def test_the_mailed_token_is_stored_nowhere(app: Flask, seeded: SeededIds, mailbox: ScriptedMailServer) -> None:
    invite(app, seeded)
    deliver_mails(app)
    token = mailed_token(mailbox)

    with app.app_context():
        tables = (Invitation, AuditEvent, AccountMail)
        rows = [db.session.execute(select(table.__table__)).all() for table in tables]
    assert token not in repr(rows)


@on_both_databases
def test_a_renewal_ends_the_earlier_mailed_link(app: Flask, seeded: SeededIds, mailbox: ScriptedMailServer) -> None:
    invite(app, seeded)
    deliver_mails(app)
    renew(app, seeded)
    first = mailed_token(mailbox)
    meanwhile = opens(app, first)
    deliver_mails(app)

    assert (meanwhile, opens(app, first), opens(app, mailed_token(mailbox))) == (None, None, True)


@on_both_databases
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_waiting_mails_only_the_newest_is_sent(
    app: Flask, seeded: SeededIds, mailbox: ScriptedMailServer, order: tuple[int, int]
) -> None:
    invite(app, seeded)
    renew(app, seeded)
    waiting = [mail.id for mail in mails(app)]
    for position in order:
        send_mail(app, waiting[position])

    assert (statuses(app), len(mailbox.messages)) == ([("canceled", None), ("sent", None)], 1)
    assert opens(app, mailed_token(mailbox)) is True


@on_both_databases
def test_a_second_attempt_replaces_the_link_of_the_first(
    app: Flask, seeded: SeededIds, mailbox: ScriptedMailServer
) -> None:
    mailbox.script["RCPT"] = ["451 4.7.1 greylisted", "250 ok"]
    invite(app, seeded)
    deliver_mails(app)
    with app.app_context():
        first = db.session.scalars(select(Invitation.mailed_token_hash)).one()
        db.session.execute(update(AccountMail).values(send_after=datetime.now(UTC) - timedelta(seconds=1)))
        db.session.commit()
    deliver_mails(app)

    with app.app_context():
        assert first not in (None, db.session.scalars(select(Invitation.mailed_token_hash)).one())
    assert (statuses(app), opens(app, mailed_token(mailbox))) == ([("sent", None)], True)


# What cancels it


def _revoke(seeded: SeededIds) -> None:
    [invitation] = list_invitations(seeded.harbor)
    revoke_invitation(invitation, get_account(seeded), database_clock.now())


def _accept_copied(seeded: SeededIds) -> None:
    [invitation] = list_invitations(seeded.harbor)
    link = renew_invitation(visit_of(seeded), invitation.id, database_clock.now())
    assert link is not None
    accept(link.token, add_account(JO, "Jo", None, database_clock.now()), database_clock.now())


def _expire(seeded: SeededIds) -> None:
    db.session.execute(update(Invitation).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))


def _remove_inviter(seeded: SeededIds) -> None:
    end_invitations_of(seeded.admin, seeded.harbor)


def _lower_inviter_by_another_program(seeded: SeededIds) -> None:
    db.session.get_one(Member, (seeded.harbor, seeded.admin)).role = Role.SUPPORT


def _disable_inviter_by_another_program(seeded: SeededIds) -> None:
    get_account(seeded).is_active = False


def _delete_workspace(seeded: SeededIds) -> None:
    delete_workspace(get_workspace(seeded), database_clock.now(), COMMAND_LINE)


ENDS = [
    _revoke,
    _accept_copied,
    _expire,
    _remove_inviter,
    _lower_inviter_by_another_program,
    _disable_inviter_by_another_program,
    _delete_workspace,
]


@on_both_databases
@pytest.mark.parametrize("end", ENDS)
def test_what_ends_an_invitation_cancels_its_mail(
    app: Flask, seeded: SeededIds, mailbox: ScriptedMailServer, end: Callable[[SeededIds], None]
) -> None:
    invite(app, seeded)
    with app.app_context():
        end(seeded)
        db.session.commit()
    deliver_mails(app)

    assert (set(statuses(app)), mailbox.commands) == ({("canceled", None)}, [])


@on_both_databases
@pytest.mark.parametrize("end", [_revoke, _lower_inviter_by_another_program, _delete_workspace])
def test_what_ends_an_invitation_after_its_recipient_was_found_cancels_its_mail(
    app: Flask,
    seeded: SeededIds,
    mailbox: ScriptedMailServer,
    monkeypatch: pytest.MonkeyPatch,
    end: Callable[[SeededIds], None],
) -> None:
    def admit(_address: str) -> bool:
        end(seeded)
        db.session.commit()
        return True

    monkeypatch.setattr("webapp.worker.account_mails.admit_recipient", admit)
    invite(app, seeded)
    deliver_mails(app)

    assert (statuses(app), mailbox.commands) == ([("canceled", None)], [])


@on_both_databases
def test_a_renewal_after_the_recipient_was_found_leaves_one_link_that_works(
    app: Flask, seeded: SeededIds, mailbox: ScriptedMailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    invite(app, seeded)
    with monkeypatch.context() as patched:
        patched.setattr("webapp.worker.account_mails.admit_recipient", lambda _address: bool(renew(app, seeded)))
        send_mail(app, mails(app)[0].id)
    deliver_mails(app)

    assert statuses(app) == [("canceled", None), ("sent", None)]
    assert (len(mailbox.messages), opens(app, mailed_token(mailbox))) == (1, True)


@on_both_databases
def test_a_mail_that_may_have_arrived_is_not_sent_again(
    app: Flask, seeded: SeededIds, mailbox: ScriptedMailServer
) -> None:
    mailbox.script["END"] = HANG_UP
    invite(app, seeded)
    for _ in range(2):
        deliver_mails(app)

    assert len(mailbox.messages) == 1
    assert mails(app)[0].status is AccountMailStatus.FAILED
    assert opens(app, mailed_token(mailbox)) is True  # it may be in the mailbox


@on_both_databases
def test_two_jobs_send_it_once(app: Flask, seeded: SeededIds, mailbox: ScriptedMailServer) -> None:
    invite(app, seeded)
    for _ in range(2):
        send_mail(app, mails(app)[0].id)

    assert len(mailbox.messages) == 1
