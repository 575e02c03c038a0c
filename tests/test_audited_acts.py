"""Every form and every command that changes something is in the audit trail, or is listed here with the reason why not.

A new POST route or command fails these tests until it has a line. One that claims to change nothing is tried.
"""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from tests import test_routes
from tests.demo.test_attacks import ROUTES as ROUTES_OF_A_PUBLIC_DEMO
from tests.factories import SeededIds
from tests.test_routes import FORM, HARBOR, ROWS, Visit
from webapp import cli
from webapp.audit import Action
from webapp.extensions import Base, db
from webapp.models import AuditEvent

environment, seeded = test_routes.environment, test_routes.seeded

CHECKS = "It checks what was typed, or makes a secret for the form."
OF_THE_DEMO = "It concerns the demo's own receiver and its inbox, which hold nothing of anybody."
SEARCHES = "It reads."
A_VISIT = "A visitor's workspace is thrown away with all that happened in it."
OWN_VIEW = "How somebody sees times concerns nobody else."

SEEN = (Action.TEST_SEEN, Action.TEST_MISSED, Action.TEST_CONFIRMED)

# What each form records, or why it records nothing. With the form of these tests, those of DONE do it.
POSTS: dict[str, tuple[Action, ...] | str] = {
    "/broken/test": (Action.TEST_REQUESTED,),
    "/search": SEARCHES,
    "/sign-in": (Action.SIGNED_IN, Action.SIGN_IN_TRIED),
    "/password": (Action.PASSWORD_CHANGED, Action.SIGNED_IN),
    "/sign-out": (Action.SIGNED_OUT,),
    "/account/time-zone": OWN_VIEW,
    "/account/browser-time-zone": OWN_VIEW,
    "/seen/<token>": (Action.TEST_SEEN,),
    "/c/<customer_token>": (Action.TEST_REQUESTED, *SEEN),
    "/w/<slug>/test-all": (Action.TEST_REQUESTED,),
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
    "/w/<slug>/destinations/<destination_id>/enable": (Action.ENABLED,),
    "/w/<slug>/destinations/<destination_id>/disable": (Action.DISABLED,),
    "/w/<slug>/destinations/<destination_id>/delete": (Action.DELETED,),
    "/demo/sign-in/<role>": (Action.SIGNED_IN,),
    "/demo/inbox/clear": OF_THE_DEMO,
    "/demo/panel/w/<slug>/destinations/<destination_id>": OF_THE_DEMO,
    "/demo/panel/hosts/<service>": OF_THE_DEMO,
    # Its new destinations have events too.
    "/demo/panel/reset": (Action.DEMO_RESET, Action.ADDED, Action.CHANGED, Action.ENABLED, Action.DISABLED),
    "/demo/start": A_VISIT,
    "/demo/end": A_VISIT,
}
DONE = {
    *("/sign-out", "/w/<slug>/test-all", "/demo/sign-in/<role>", "/demo/panel/reset"),
    "/w/<slug>/destinations/new/<channel_name>",
    *(
        f"/w/<slug>/destinations/<destination_id>/{act}"
        for act in ("test", "plan", "receipt", "links", "revoke/<link>", "edit", "disable", "delete")
    ),
}
COMMANDS: dict[str, tuple[Action, ...] | str] = {
    "version": SEARCHES,
    "worker": (Action.SIGN_IN_TRIED, Action.PLAN_ENDED, Action.TEST_REQUESTED, Action.EVENTS_DELETED),
    "check-worker": SEARCHES,
    "check-settings": SEARCHES,
    "add-workspace": (Action.WORKSPACE_ADDED,),
    "add-member": (Action.MEMBER_ADDED, Action.ROLE_CHANGED),
    "remove-member": (Action.MEMBER_REMOVED,),
    "set-password": (Action.PASSWORD_SET,),
    "set-active": (Action.ACCOUNT_ENABLED, Action.ACCOUNT_DISABLED, Action.SESSIONS_ENDED),
    "rotate-keys": (Action.KEYS_ROTATED,),
    "seed-demo": (Action.ADDED, Action.CHANGED),
    "db": "It changes the schema, in which the audit trail itself is. Its own table tells the version.",
}
# Use cases that have neither a page nor a command yet.
WITHOUT_DOOR = {
    *(Action.WORKSPACE_RENAMED, Action.WORKSPACE_DELETED, Action.INSTANCE_ADMIN_MADE, Action.INSTANCE_ADMIN_REVOKED),
    *(Action.SUPPORT_EVERYWHERE_GRANTED, Action.SUPPORT_EVERYWHERE_ENDED),
}

# Tables of what is counted, kept for a while or used as a proof, and columns of when somebody was last here.
PASSING = {"form_drafts", "sign_in_windows", "known_clients", "sign_ins", "batches", "audit_events"}
LAST_USED = {"last_seen_at", "last_used_at", "time_zone"}

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


def test_every_command_has_a_line(app: Flask) -> None:
    assert set(COMMANDS) == {*app.cli.commands, *(command.name or "" for command in cli.COMMANDS)}


def test_every_action_is_recorded_by_a_form_or_a_command() -> None:
    recorded = {act for acts in (*POSTS.values(), *COMMANDS.values()) if not isinstance(acts, str) for act in acts}

    assert set(Action) - recorded == WITHOUT_DOOR


@pytest.mark.parametrize("rule", POST_ROUTES)
def test_a_form_that_changes_something_is_in_the_audit_trail(
    app: Flask, seeded: SeededIds, visit: Visit, rule: str
) -> None:
    admin, declared = visit(seeded.admin), POSTS[rule]
    with app.app_context():
        before, last = _read_rows(), max(db.session.scalars(select(AuditEvent.id)))
    path = next(row for row in ROWS if row.method == "POST" and row.rule == rule).path(HARBOR)

    admin.post(path, FORM)

    with app.app_context():
        changed = {name for name, rows in _read_rows().items() if rows != before[name]}
        actions = _read_actions(last)
    assert set(actions) <= set(() if isinstance(declared, str) else declared)
    assert bool(actions) or not changed, f"{changed} changed and nobody knows who did it"
    assert bool(actions) is (rule in DONE)
