"""Every form and every command that changes something is in the audit trail, or is listed here with the reason why not.

A new POST route or command fails these tests until it has a line. One that claims to change nothing is tried.
"""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from tests import test_instance_routes, test_routes
from tests.demo.test_attacks import ROUTES as ROUTES_OF_A_PUBLIC_DEMO
from tests.factories import SeededIds
from tests.test_instance_routes import Open
from tests.test_routes import FORM, HARBOR, ROWS, Visit
from tests.visitor import Visitor
from webapp import cli
from webapp.audit import Action
from webapp.extensions import Base, db
from webapp.models import AuditEvent

starts, start, app, seeded = test_routes.starts, test_routes.start, test_routes.app, test_routes.seeded
open_as = test_instance_routes.open_as

CHECKS = "It checks what was typed, or makes a secret for the form."
OF_THE_DEMO = "It concerns the demo's own receiver and its inbox, which hold nothing of anybody."
SEARCHES = "It reads."
A_VISIT = "A visitor's workspace is thrown away with all that happened in it."
OWN_VIEW = "How somebody sees times concerns nobody else."
OWN_CHOICE = "Which mails somebody gets concerns nobody else."
OWN_MAIL = "It mails to the address of whoever presses. What the mailed link does is recorded."
BY_WORKER = "A worker records it, once it knows whether an account has the address."

SEEN = (Action.TEST_SEEN, Action.TEST_MISSED, Action.TEST_CONFIRMED)

# What each form records, or why it records nothing. With the form of these tests, those of DONE do it.
POSTS: dict[str, tuple[Action, ...] | str] = {
    "/broken/test": (Action.TEST_REQUESTED,),
    "/search": SEARCHES,
    "/sign-in": (Action.SIGNED_IN, Action.SIGN_IN_TRIED),
    "/password": (Action.PASSWORD_CHANGED, Action.SIGNED_IN),
    "/sign-out": (Action.SIGNED_OUT,),
    "/forgot-password": BY_WORKER,
    "/reset-password": (Action.PASSWORD_RESET, Action.ADDRESS_CONFIRMED, Action.SIGNED_IN),
    "/set-up": (
        *(Action.SET_UP_LINK_USED, Action.INSTANCE_ADMIN_MADE, Action.WORKSPACE_ADDED, Action.MEMBER_ADDED),
        Action.SIGNED_IN,
    ),
    "/set-up/check": CHECKS,
    "/invitation": (Action.INVITATION_ACCEPTED, Action.MEMBER_ADDED, Action.SIGNED_IN),
    "/invitation/join": (Action.INVITATION_ACCEPTED, Action.MEMBER_ADDED),
    "/invitation/other-account": (Action.SIGNED_OUT,),
    "/account/confirmation": OWN_MAIL,
    "/account/confirm": (Action.ADDRESS_CONFIRMED,),
    "/account/sessions/<session_key>/end": (Action.SESSION_ENDED, Action.SIGNED_OUT),
    "/account/sessions/end-others": (Action.OTHER_SESSIONS_ENDED,),
    "/account/time-zone": OWN_VIEW,
    "/account/browser-time-zone": OWN_VIEW,
    "/seen/<token>": (Action.TEST_SEEN,),
    "/c/<customer_token>": (Action.TEST_REQUESTED, *SEEN),
    "/w/<slug>/problems/preferences": OWN_CHOICE,
    "/w/<slug>/problems/destination": (Action.NOTICE_DESTINATION_CHANGED,),
    "/w/<slug>/members/<account_id>/role": (Action.ROLE_CHANGED,),
    "/w/<slug>/members/<account_id>/remove": (Action.MEMBER_REMOVED, Action.ROLE_CHANGED),
    "/w/<slug>/members/invitations": (Action.INVITED,),
    "/w/<slug>/members/invitations/<invitation>/renew": (Action.INVITATION_RENEWED,),
    "/w/<slug>/members/invitations/<invitation>/revoke": (Action.INVITATION_REVOKED,),
    "/w/<slug>/test-all": (Action.TEST_REQUESTED,),
    "/w/<slug>/choose": (Action.TEST_REQUESTED, Action.ENABLED, Action.DISABLED, Action.CHANGED),
    "/w/<slug>/drills": (Action.DRILLS_CHANGED,),
    "/w/<slug>/drills/off": (Action.DRILLS_CHANGED,),
    "/w/<slug>/drills/now": (Action.DRILL_REQUESTED,),
    "/w/<slug>/drills/destinations": (Action.CHANGED,),
    "/w/<slug>/drills/destinations/<destination_id>": (Action.CHANGED,),
    "/w/<slug>/import": CHECKS,
    "/w/<slug>/import/<upload>": (Action.ADDED, Action.IMPORTED),
    "/w/<slug>/destinations/new/<channel_name>": (Action.ADDED,),
    "/w/<slug>/destinations/new/<channel_name>/check": CHECKS,
    "/w/<slug>/destinations/new/<channel_name>/new-<field>": CHECKS,
    "/w/<slug>/destinations/new/<channel_name>/check/<field>": CHECKS,
    "/w/<slug>/destinations/<destination_id>/check": CHECKS,
    "/w/<slug>/destinations/<destination_id>/check/<field>": CHECKS,
    "/w/<slug>/destinations/<destination_id>/test": (Action.TEST_REQUESTED,),
    "/w/<slug>/destinations/<destination_id>/plan": (Action.TEST_REQUESTED, Action.TEST_PLANNED),
    "/w/<slug>/destinations/<destination_id>/plan/cancel": (Action.PLAN_CANCELED,),
    "/w/<slug>/destinations/<destination_id>/receipt": SEEN,
    "/w/<slug>/destinations/<destination_id>/links": (Action.LINK_MADE,),
    "/w/<slug>/destinations/<destination_id>/revoke/<link>": (Action.LINK_REVOKED,),
    "/w/<slug>/destinations/<destination_id>/edit": (Action.CHANGED,),
    "/w/<slug>/destinations/<destination_id>/suggestion": (Action.CHANGED,),
    "/w/<slug>/destinations/<destination_id>/enable": (Action.ENABLED,),
    "/w/<slug>/destinations/<destination_id>/disable": (Action.DISABLED,),
    "/w/<slug>/destinations/<destination_id>/delete": (Action.DELETED,),
    "/instance/mail": SEARCHES,
    "/instance/mail-check": OWN_MAIL,
    "/instance/add-workspace": (Action.WORKSPACE_ADDED, Action.MEMBER_ADDED),
    "/instance/workspaces/<slug>/rename": (Action.WORKSPACE_RENAMED,),
    "/instance/workspaces/<slug>/admin": (Action.MEMBER_ADDED, Action.ROLE_CHANGED),
    "/instance/workspaces/<slug>/delete": (Action.WORKSPACE_DELETED,),
    "/instance/accounts/<account_id>/disable": (Action.ACCOUNT_DISABLED,),
    "/instance/accounts/<account_id>/enable": (Action.ACCOUNT_ENABLED,),
    "/instance/accounts/<account_id>/end-sessions": (Action.SESSIONS_ENDED,),
    "/instance/accounts/<account_id>/reset-link": (Action.RESET_LINK_MADE,),
    "/instance/accounts/<account_id>/unlink": (Action.ACCOUNT_UNLINKED,),
    "/instance/accounts/<account_id>/support-everywhere": (
        *(Action.SUPPORT_EVERYWHERE_GRANTED, Action.SUPPORT_EVERYWHERE_ENDED),
    ),
    "/demo/sign-in/<role>": (Action.SIGNED_IN,),
    "/demo/inbox/clear": OF_THE_DEMO,
    "/demo/panel/w/<slug>/destinations/<destination_id>": OF_THE_DEMO,
    "/demo/panel/hosts/<service>": OF_THE_DEMO,
    # Its new destinations have events too.
    "/demo/panel/reset": (
        *(Action.DEMO_RESET, Action.ADDED, Action.CHANGED, Action.ENABLED, Action.DISABLED, Action.DELETED),
        *(Action.DRILL_REQUESTED, *SEEN),
    ),
    "/demo/start": A_VISIT,
    "/demo/end": A_VISIT,
}
DONE = {
    *("/sign-out", "/w/<slug>/test-all", "/demo/sign-in/<role>", "/demo/panel/reset", "/invitation/other-account"),
    *("/account/sessions/<session_key>/end", "/account/sessions/end-others"),
    *("/w/<slug>/members/<account_id>/role", "/w/<slug>/members/<account_id>/remove"),
    *("/w/<slug>/members/invitations", "/w/<slug>/drills/now", "/w/<slug>/drills/destinations/<destination_id>"),
    *("/w/<slug>/members/invitations/<invitation>/renew", "/w/<slug>/members/invitations/<invitation>/revoke"),
    "/w/<slug>/destinations/new/<channel_name>",
    *(
        f"/w/<slug>/destinations/<destination_id>/{act}"
        for act in ("test", "plan", "receipt", "links", "revoke/<link>", "edit", "disable", "delete")
    ),
}
# Those of the instance's pages, for an instance admin.
DONE_BY_INSTANCE_ADMINS = {
    *("/instance/add-workspace", "/instance/workspaces/<slug>/rename", "/instance/workspaces/<slug>/delete"),
    *(f"/instance/accounts/<account_id>/{act}" for act in ("disable", "reset-link", "support-everywhere")),
}
COMMANDS: dict[str, tuple[Action, ...] | str] = {
    "version": SEARCHES,
    "worker": (
        *(Action.SIGN_IN_TRIED, Action.PLAN_ENDED, Action.TEST_REQUESTED, Action.DRILL_REQUESTED),
        Action.EVENTS_DELETED,
        Action.RESET_REQUESTED,
    ),
    "check-worker": SEARCHES,
    "check-settings": SEARCHES,
    "setup-link": (Action.SET_UP_LINK_MADE,),
    "add-workspace": (Action.WORKSPACE_ADDED,),
    "list-workspaces": SEARCHES,
    "rename-workspace": (Action.WORKSPACE_RENAMED,),
    "delete-workspace": (Action.WORKSPACE_DELETED,),
    "list-members": SEARCHES,
    "add-member": (Action.MEMBER_ADDED, Action.ROLE_CHANGED),
    "remove-member": (Action.MEMBER_REMOVED,),
    "set-password": (Action.PASSWORD_SET,),
    "set-active": (Action.ACCOUNT_ENABLED, Action.ACCOUNT_DISABLED, Action.SESSIONS_ENDED),
    "make-instance-admin": (Action.INSTANCE_ADMIN_MADE, Action.INSTANCE_ADMIN_REVOKED),
    "unlink-account": (Action.ACCOUNT_UNLINKED,),
    "rotate-keys": (Action.KEYS_ROTATED,),
    "import": (Action.ADDED, Action.IMPORTED),
    "export": SEARCHES,
    "seed-demo": (Action.ADDED, Action.CHANGED),
    "db": "It changes the schema, in which the audit trail itself is. Its own table tells the version.",
}
# What a provider of single sign-on causes, at /sign-in/callback.
BY_PROVIDER = (Action.ACCOUNT_ADDED, Action.ACCOUNT_LINKED)

# Tables of what is counted, kept for a while or used as a proof, and columns of when somebody was last here.
PASSING = {"form_drafts", "sign_in_windows", "known_clients", "sign_ins", "batches", "audit_events"}
LAST_USED = {"last_seen_at", "last_used_at", "time_zone"}

INSTANCE_FORM = test_instance_routes.FORM
INSTANCE_FORMS = {"/instance/add-workspace": INSTANCE_FORM | {"slug": "dock"}}

POST_ROUTES = sorted({row.rule for row in ROWS if row.method == "POST"})


def _read_rows() -> dict[str, Any]:
    tables = [table for table in Base.metadata.sorted_tables if table.name not in PASSING]
    return {
        table.name: db.session.execute(
            select(*(column for column in table.columns if column.name not in LAST_USED)).order_by(*table.primary_key)
        ).all()
        for table in tables
    }


def _read_actions(after: int) -> list[str]:
    return list(db.session.scalars(select(AuditEvent.action).where(AuditEvent.id > after).order_by(AuditEvent.id)))


def test_every_form_has_a_line() -> None:
    public = {route.removeprefix("POST ") for route in ROUTES_OF_A_PUBLIC_DEMO if route.startswith("POST ")}

    assert set(POSTS) == {*POST_ROUTES, *public}


def test_every_command_has_a_line() -> None:
    assert set(COMMANDS) == {*cli.FILES_BY_COMMAND, *cli.OF_DEMO}


def test_every_action_is_recorded_by_a_form_a_command_or_a_provider() -> None:
    doors = (*POSTS.values(), *COMMANDS.values(), BY_PROVIDER)
    recorded = {act for acts in doors if not isinstance(acts, str) for act in acts}

    assert set(Action) - recorded == set()


@pytest.mark.parametrize("rule", POST_ROUTES)
def test_a_form_that_changes_something_is_in_the_audit_trail(
    app: Flask, seeded: SeededIds, visit: Visit, rule: str
) -> None:
    admin = visit(seeded.admin)

    actions = _press(app, admin, rule, HARBOR, FORM)

    assert bool(actions) is (rule in DONE)


@pytest.mark.parametrize("rule", [rule for rule in POST_ROUTES if rule.startswith("/instance/")])
def test_a_form_of_the_instance_that_changes_something_is_in_the_audit_trail(
    app: Flask, open_as: Open, rule: str
) -> None:
    admin = open_as("flag")

    actions = _press(app, admin, rule, test_instance_routes.EXISTING, INSTANCE_FORMS.get(rule, INSTANCE_FORM))

    assert bool(actions) is (rule in DONE_BY_INSTANCE_ADMINS)


def _press(app: Flask, visitor: Visitor, rule: str, place: dict[str, str], form: dict[str, str]) -> list[str]:
    """Submit a form, and return what the audit trail records of it: only what is declared, and of every change."""
    declared = POSTS[rule]
    with app.app_context():
        before, last = _read_rows(), max(db.session.scalars(select(AuditEvent.id)))
    path = next(row for row in ROWS if row.method == "POST" and row.rule == rule).path(place)

    visitor.post(path, form)

    with app.app_context():
        changed = {name for name, rows in _read_rows().items() if rows != before[name]}
        actions = _read_actions(last)
    assert set(actions) <= set(() if isinstance(declared, str) else declared)
    assert bool(actions) or not changed, f"{changed} changed and nobody knows who did it"
    return actions
