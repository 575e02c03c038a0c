"""The import's pages: from a file to the list, whatever happens meanwhile, and without showing a secret."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import delete, func, select
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, stream_encode_multipart

from tests.auth.overlapping import run_overlapping
from tests.factories import NOW, SeededIds, get_workspace, list_events, on_both_databases
from tests.visitor import Visitor
from webapp.audit import Action, Actor
from webapp.destinations.editing import insert_destination
from webapp.extensions import db
from webapp.imports.file_limits import MAX_BYTES
from webapp.models import Account, AlertDelivery, AlertDestination, FormDraft, Role, SignIn, Workspace
from webapp.models.locking import lock_workspace
from webapp.settings import AppSettings
from webapp.views.request_sizes import IMPORT_LIMIT
from webapp.workspaces.membership_changes import set_role

IMPORT, LIST = "/w/harbor/import", "/w/harbor/destinations"
SLACK, HOOK = "https://hooks.slack.com/services/T000/B000/canary", "https://hooks.example.com/canary"
FILE = f"""
receivers:
  - name: ops
    slack_configs:
      - api_url: {SLACK}
  - name: tickets
    webhook_configs:
      - url: {HOOK}
  - name: hidden
    slack_configs:
      - api_url_file: /etc/alertmanager/slack
  - name: inside
    webhook_configs:
      - url: http://10.0.0.8/canary
  - name: tickets again
    webhook_configs:
      - url: {HOOK}
"""
OPS, TICKETS, HIDDEN, INSIDE, AGAIN = "01234"
OTHER_SLACK = f"{SLACK}-2"


@pytest.fixture
def admin(seeded: SeededIds, visit: Callable[[int], Visitor]) -> Visitor:
    return visit(seeded.admin)


def upload(visitor: Visitor, content: str | bytes = FILE, **fields: str) -> TestResponse:
    """Submit the form of the page, with a file unless it is empty."""
    content = content.encode() if isinstance(content, str) else content
    form = {**fields, "file": FileStorage(BytesIO(content), "alertmanager.yml" if content else "")}
    body, _, boundary = stream_encode_multipart(form, use_tempfile=False)
    content_type = f'multipart/form-data; boundary="{boundary}"'
    return visitor.post(IMPORT, body.read(), content_type=content_type)


def find_rows(visitor: Visitor, content: str = FILE) -> str:
    """Upload a file, and return the path of its dry run."""
    response = upload(visitor, content)
    assert response.status_code == 303
    return str(response.location)


def list_names(app: Flask) -> list[str]:
    """Return the names of the harbor's destinations, without the one that was there before."""
    with app.app_context():
        of_harbor = select(AlertDestination.name).join(Workspace, Workspace.id == AlertDestination.workspace_id)
        names = db.session.scalars(of_harbor.where(Workspace.slug == "harbor").order_by(AlertDestination.id)).all()
        return list(names[1:])


def count(app: Flask, table: type[FormDraft] | type[AlertDelivery]) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(table)) or 0


def find_states(page: str) -> list[str]:
    return re.findall(r'<b class="mark"[^>]*><i class="[^"]+"></i> ([^<]+)</b>', page)


@on_both_databases
def test_a_file_becomes_destinations_and_nothing_is_sent(app: Flask, admin: Visitor) -> None:
    rows = find_rows(admin)
    page = admin.get(rows).text
    response = admin.post(rows, {"row": [OPS, TICKETS]})
    listed = admin.get(response.location).text

    assert find_states(page) == ["Ready", "Ready", "Needs a secret", "Cannot be used", "Duplicate"]
    assert (response.status_code, response.location) == (303, LIST)
    assert "2 destinations were added. The import sent nothing." in listed
    assert '<button class="outline" form="test-all">Test them all</button>' in listed
    assert 'id="test-all" action="/w/harbor/test-all"' in listed
    assert list_names(app) == ["ops", "tickets"]
    assert count(app, AlertDelivery) == 0


def test_what_was_added_has_the_settings_of_the_file(app: Flask, app_settings: AppSettings, admin: Visitor) -> None:
    admin.post(find_rows(admin), {"row": OPS})

    with app.app_context():
        added = db.session.scalars(select(AlertDestination).where(AlertDestination.name == "ops")).one()
        settings = app_settings.cipher.decrypt(added.config, context=added.encryption_context)
    assert (added.type, added.is_enabled, settings) == ("slack", True, {"address": SLACK})


def test_text_can_be_pasted_instead(app: Flask, admin: Visitor) -> None:
    response = admin.post(IMPORT, {"text": FILE})

    admin.post(response.location, {"row": OPS})

    assert list_names(app) == ["ops"]


def test_the_ready_rows_are_ticked_and_no_others(admin: Visitor) -> None:
    page = admin.get(find_rows(admin)).text

    assert re.findall(r'name="(row|duplicate)" value="(\d)" (checked|)', page) == [
        ("row", OPS, "checked"),
        ("row", TICKETS, "checked"),
        ("row", HIDDEN, ""),
        ("duplicate", AGAIN, ""),
    ]
    assert "It leads to the same place as “tickets” in this file." in page


def test_no_page_and_no_address_contains_a_secret(app: Flask, admin: Visitor) -> None:
    rows = find_rows(admin)
    wrong = admin.post(rows, {"row": OPS, f"{HIDDEN}-address": "https://example.com/canary"})
    gone = upload(admin, f"{FILE}  - name: [canary")

    pages = [admin.get(rows), wrong, admin.get(rows), gone, admin.post(rows, {"row": OPS})]
    assert [page.status_code for page in pages] == [200, 400, 200, 400, 303]
    assert "canary" not in "".join(page.text + str(page.headers) for page in pages)


def test_what_is_kept_of_a_file_is_encrypted(app: Flask, admin: Visitor) -> None:
    find_rows(admin)

    with app.app_context():
        [draft] = db.session.scalars(select(FormDraft))
    assert "canary" not in draft.content + draft.path + draft.id


def test_a_missing_secret_is_entered_in_its_row(app: Flask, admin: Visitor) -> None:
    admin.post(find_rows(admin), {f"{HIDDEN}-address": f" {OTHER_SLACK} "})

    assert list_names(app) == ["hidden"]


def test_what_has_several_lines_is_entered_in_several_lines(admin: Visitor) -> None:
    headers = "{X-Team: {secrets: ['<secret>']}}"
    file = f"receivers: [{{name: a, webhook_configs: [{{url: '{HOOK}', http_config: {{http_headers: {headers}}}}}]}}]"

    page = admin.get(find_rows(admin, file)).text

    assert re.search(r'<textarea id="field-0-headers" name="0-headers"[^>]*></textarea>', page)


def test_a_wrong_secret_adds_nothing_and_the_right_ones_are_kept(app: Flask, admin: Visitor) -> None:
    rows = find_rows(
        admin, FILE.replace("name: inside", "name: dark").replace("url: http://10.0.0.8/canary", "url_file: x")
    )
    wrong = {"row": OPS, f"{HIDDEN}-address": OTHER_SLACK, f"{INSIDE}-address": "http://canary.example.com"}
    response = admin.post(rows, wrong)

    assert (response.status_code, list_names(app)) == (400, [])
    assert "Nothing was added yet. Correct what is marked below" in response.text
    assert "begins with http:// instead of https://" in response.text
    assert f'name="{HIDDEN}-address"' not in response.text
    assert f'value="{HIDDEN}" checked' in response.text

    admin.post(rows, {"row": [OPS, HIDDEN], f"{INSIDE}-address": "https://dark.example.com/x"})

    assert list_names(app) == ["ops", "hidden", "dark"]


@pytest.mark.parametrize(
    "form", [{}, {"row": ""}, {"row": "99"}, {"row": "-1"}, {"row": "x"}, {f"{HIDDEN}-address": " "}]
)
def test_nothing_is_added_if_nothing_is_chosen(app: Flask, admin: Visitor, form: dict[str, str]) -> None:
    response = admin.post(find_rows(admin), form)

    assert (response.status_code, list_names(app)) == (400, [])
    assert "Nothing was added. Tick the destinations to add" in response.text


@pytest.mark.parametrize("form", [{"row": INSIDE}, {"row": HIDDEN}, {"row": AGAIN}, {"duplicate": INSIDE}])
def test_a_row_that_is_not_ready_cannot_be_added(app: Flask, admin: Visitor, form: dict[str, str]) -> None:
    response = admin.post(find_rows(admin), form)

    assert (response.status_code, list_names(app)) == (400, [])


def test_a_duplicate_is_added_if_it_is_chosen_as_one(app: Flask, admin: Visitor) -> None:
    admin.post(find_rows(admin), {"duplicate": AGAIN})

    assert list_names(app) == ["tickets again"]


def test_a_destination_of_the_workspace_is_recognized(admin: Visitor) -> None:
    admin.post(find_rows(admin), {"row": [OPS, TICKETS]})

    page = admin.get(find_rows(admin)).text

    assert find_states(page) == ["Duplicate", "Duplicate", "Needs a secret", "Cannot be used", "Duplicate"]
    assert "It leads to the same place as the destination “ops” of this workspace." in page


def test_the_import_is_in_the_audit_trail(app: Flask, seeded: SeededIds, admin: Visitor) -> None:
    admin.post(find_rows(admin), {"row": [OPS, TICKETS]})

    with app.app_context():
        events = list_events(seeded.harbor)[:3]
    assert [event.action for event in events] == [Action.IMPORTED, Action.ADDED, Action.ADDED]
    assert events[0].changed == ["2 destinations from alertmanager.yml"]
    assert {event.account_id for event in events} == {seeded.admin}
    assert "canary" not in "".join(f"{event.subject}{event.changed}" for event in events)


@on_both_databases
def test_a_second_press_adds_nothing_and_leads_to_the_list(app: Flask, admin: Visitor) -> None:
    rows = find_rows(admin)
    admin.post(rows, {"row": OPS})
    responses = [admin.post(rows, {"row": OPS}), admin.post(rows, {}), admin.get(rows)]

    assert [(response.status_code, response.location) for response in responses] == [(303, LIST)] * 3
    assert "These destinations have already been added." in admin.get(LIST).text
    assert list_names(app) == ["ops"]


@on_both_databases
def test_of_two_presses_at_once_one_adds(app: Flask, admin: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = find_rows(admin)
    others: list[Any] = []

    def press_again_and_lock(workspace: Workspace) -> None:
        if not others:
            others.append(None)
            others[0] = admin.post(rows, {"row": OPS})
        lock_workspace(workspace)

    monkeypatch.setattr("webapp.views.imports.lock_workspace", press_again_and_lock)
    first = admin.post(rows, {"row": OPS})

    assert [(press.status_code, press.location) for press in (first, others[0])] == [(303, LIST)] * 2
    assert list_names(app) == ["ops"]


def test_the_secrets_of_a_file_are_erased_once_it_is_imported(app: Flask, admin: Visitor) -> None:
    admin.post(find_rows(admin), {"row": OPS})

    with app.app_context():
        assert [draft.content for draft in db.session.scalars(select(FormDraft))] == [""]


def test_several_tabs_import_their_own_file(app: Flask, admin: Visitor) -> None:
    tabs = [
        find_rows(admin, FILE.replace("name: ops", f"name: ops {tab}").replace(SLACK, f"{SLACK}{tab}")) for tab in "abc"
    ]

    for tab in reversed(tabs):
        admin.post(tab, {"row": OPS})

    assert list_names(app) == ["ops c", "ops b", "ops a"]


@pytest.mark.parametrize("method", ["get", "post"])
def test_what_is_not_kept_any_more_leads_to_the_form(app: Flask, admin: Visitor, method: str) -> None:
    rows = find_rows(admin)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=15)):
        response = getattr(admin, method)(rows)

    assert response.status_code == 410
    assert "was kept for 15 minutes, and is gone. Nothing was added. Import the file again." in response.text
    assert 'type="file"' in response.text
    assert list_names(app) == []


def test_a_file_belongs_to_the_session_that_uploaded_it(app: Flask, seeded: SeededIds, admin: Visitor) -> None:
    rows, other = find_rows(admin), Visitor.signed_in(app, seeded.admin)

    assert [other.get(rows).status_code, other.post(rows, {"row": OPS}).status_code] == [410, 410]
    assert list_names(app) == []


def test_a_file_belongs_to_the_workspace_that_it_was_uploaded_to(app: Flask, seeded: SeededIds, admin: Visitor) -> None:
    with app.app_context():
        set_role(db.session.get_one(Workspace, seeded.clinic), db.session.get_one(Account, seeded.admin), Role.ADMIN)
        db.session.commit()
    rows = find_rows(admin).replace("harbor", "clinic")

    assert [admin.get(rows).status_code, admin.post(rows, {"row": OPS}).status_code] == [410, 410]


def test_a_session_that_ended_meanwhile_leads_to_the_sign_in(app: Flask, admin: Visitor) -> None:
    rows = find_rows(admin)
    with app.app_context():
        db.session.execute(delete(SignIn))
        db.session.commit()

    response = admin.post(rows, {"row": OPS})

    assert response.status_code == 302
    assert response.location.startswith("/sign-in?next=")
    assert (list_names(app), count(app, FormDraft)) == ([], 0)


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.VIEWER])
def test_a_role_that_was_lowered_meanwhile_adds_nothing(
    app: Flask, seeded: SeededIds, admin: Visitor, role: Role
) -> None:
    rows = find_rows(admin)
    with app.app_context():
        set_role(get_workspace(seeded), db.session.get_one(Account, seeded.admin), role)
        db.session.commit()

    assert (admin.post(rows, {"row": OPS}).status_code, list_names(app)) == (403, [])


def test_a_role_that_is_lowered_during_the_request_adds_nothing(
    app: Flask, seeded: SeededIds, admin: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = find_rows(admin)

    def lower(workspace: Workspace) -> None:
        set_role(workspace, db.session.get_one(Account, seeded.admin), Role.VIEWER)
        db.session.commit()

    monkeypatch.setattr("webapp.views.imports.lock_workspace", lower)

    assert (admin.post(rows, {"row": OPS}).status_code, list_names(app)) == (403, [])


def test_a_workspace_that_is_deleted_meanwhile_is_not_found(app: Flask, seeded: SeededIds, admin: Visitor) -> None:
    rows = find_rows(admin)
    with app.app_context():
        get_workspace(seeded).deleted_at = datetime.now(UTC)
        db.session.commit()

    assert (admin.post(rows, {"row": OPS}).status_code, list_names(app)) == (404, [])


def test_a_failure_in_the_middle_adds_nothing_and_keeps_the_file(
    app: Flask, admin: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = find_rows(admin)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    with monkeypatch.context() as broken:
        broken.setattr("webapp.imports.adding.record_workspace_event", lambda *_: 1 / 0)
        failed = admin.post(rows, {"row": OPS})

    assert (failed.status_code, list_names(app)) == (500, [])
    assert admin.post(rows, {"row": OPS}).status_code == 303


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("", "Choose a file, or paste its text."),
        ("receivers: []", "There is no receiver in it."),
        ("nothing: [", "not valid YAML"),
        (b"SQLite format 3\x00\x10\x00\xff", "on the command line only"),
        (b"\x89PNG\r\n\x1a\n\xff", "not a text file"),
    ],
)
def test_a_file_that_cannot_be_read_says_what_to_do(admin: Visitor, content: str | bytes, part: str) -> None:
    response = upload(admin, content)

    assert response.status_code == 400
    assert part in response.text


def test_a_file_and_a_text_are_not_both_read(admin: Visitor) -> None:
    response = upload(admin, text=FILE)

    assert response.status_code == 400
    assert "Choose a file or paste its text, but not both." in response.text


def test_a_file_of_one_mebibyte_is_read(app: Flask, admin: Visitor) -> None:
    padded = f"{FILE}#".ljust(MAX_BYTES, "x")
    rows = find_rows(admin, padded)
    pasted = upload(admin, "", text=padded)

    assert [admin.get(path).status_code for path in (rows, pasted.location)] == [200, 200]


def test_a_file_is_never_written_to_a_disk(admin: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Werkzeug writes large ones to a temporary file by default."""
    monkeypatch.setattr("werkzeug.formparser.SpooledTemporaryFile", None)

    assert upload(admin, f"{FILE}#".ljust(MAX_BYTES, "x")).status_code == 303


def test_a_file_that_is_too_large_says_what_to_do(admin: Visitor) -> None:
    slightly, much = upload(admin, "x" * (MAX_BYTES + 1)), upload(admin, "x" * (IMPORT_LIMIT + 1))

    assert (slightly.status_code, much.status_code) == (400, 413)
    assert "The file is larger than 1,024 KiB." in slightly.text
    assert "Alertcheck imports files of up to 1 MiB." in much.text
    assert "Nothing was added." in much.text


def test_other_forms_are_no_larger_than_before(admin: Visitor) -> None:
    assert admin.post("/w/harbor/destinations/new/webhook", {"name": "x" * 70_000}).status_code == 413


def test_a_name_is_text_in_the_page(app: Flask, admin: Visitor) -> None:
    name = '<script>alert(1)</script>\u202e"'
    page = admin.get(find_rows(admin, FILE.replace("name: ops", f"name: '{name}'"))).text

    assert "&lt;script&gt;alert(1)&lt;/script&gt;&#34;" in page
    assert "<script>alert" not in page


def test_two_hundred_rows_are_judged_with_as_many_queries_as_one(
    app: Flask, admin: Visitor, count_queries: Callable[[], object]
) -> None:
    config = "    slack_configs:\n      - api_url: " + SLACK
    many = "receivers:\n" + "".join(f"  - name: r{number}\n{config}{number}\n" for number in range(200))
    one = find_rows(admin, FILE)
    two_hundred = find_rows(admin, many)

    with count_queries() as few:  # type: ignore[attr-defined]
        admin.get(one)
    with count_queries() as as_few:  # type: ignore[attr-defined]
        page = admin.get(two_hundred).text

    assert find_states(page) == ["Ready"] * 200
    assert len(as_few) == len(few)


@on_both_databases
def test_of_two_imports_at_once_the_second_one_finds_what_the_first_one_added(
    app: Flask, seeded: SeededIds, app_settings: AppSettings, admin: Visitor
) -> None:
    path, responses = find_rows(admin), list[TestResponse]()

    def add_elsewhere() -> None:
        workspace = get_workspace(seeded)
        lock_workspace(workspace)
        actor, settings = Actor(None, "Somebody else"), {"address": HOOK}
        insert_destination(workspace, actor, "webhook", "Added elsewhere", settings, app_settings.cipher, NOW)

    failed = run_overlapping(app, add_elsewhere, lambda: responses.append(admin.post(path, {"row": [TICKETS]})))

    assert (failed, [response.status_code for response in responses]) == ([None, None], [400])
    assert list_names(app) == ["Added elsewhere"]
