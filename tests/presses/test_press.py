"""The limits per member, workspace and target over HTTP: what is refused, in which words, and what does not count."""

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial

import pytest
from flask import Flask
from pytest_httpserver import HTTPServer
from sqlalchemy import select
from werkzeug.test import TestResponse

from tests.factories import NOW, SIGNING_SECRET, SeededIds, get_account, get_destination, on_both_databases
from tests.visitor import Visitor
from webapp.app_state import current_settings
from webapp.application import create_app
from webapp.deliveries import send
from webapp.destinations.editing import add_destination, change_destination
from webapp.extensions import db
from webapp.models import Account, AlertDelivery, AlertDestination, Workspace
from webapp.presses.limit_enforcement import Press, Refusals, enforce_limits
from webapp.settings import AppSettings, read_settings


def _deliveries(app: Flask) -> list[AlertDelivery]:
    with app.app_context():
        return list(db.session.scalars(select(AlertDelivery)))


@pytest.fixture
def strict(environment: dict[str, str]) -> Flask:
    """An installation with low limits per target."""
    limits = {"ALERTCHECK_TESTS_PER_TARGET": "2", "ALERTCHECK_TESTS_PER_RECIPIENT": "2"}
    return create_app(read_settings(environment | limits))


def _add(strict: Flask, workspace_id: int, channel: str, **settings: str) -> int:
    with strict.app_context():
        workspace, admin = db.session.get_one(Workspace, workspace_id), db.session.scalars(select(Account)).first()
        assert admin is not None
        cipher = current_settings().cipher
        return add_destination(workspace, admin, channel, "Added", settings, cipher, datetime.now(UTC)).id


def _press(strict: Flask, account_id: int, destination_id: int, slug: str = "harbor") -> TestResponse:
    return Visitor.signed_in(strict, account_id).post(f"/w/{slug}/destinations/{destination_id}/test")


def _add_webhooks(strict: Flask, workspace_id: int, *addresses: str) -> list[int]:
    return [
        _add(strict, workspace_id, "webhook", address=address, signing_secret=SIGNING_SECRET) for address in addresses
    ]


def _words(response: TestResponse) -> str:
    found = re.search(r'<div role="alert"><p class="refusal">([^<]+)<', response.text)
    return found[1] if found else ""


@on_both_databases
def test_a_press_over_the_limit_of_its_target_is_refused_with_the_seconds_left_and_writes_nothing(
    strict: Flask, seeded: SeededIds
) -> None:
    *first, last = _add_webhooks(
        strict, seeded.harbor, "https://a.example/1", "https://A.example./2", "https://a.example/3"
    )
    assert [_press(strict, seeded.admin, number).status_code for number in first] == [200, 200]

    response = _press(strict, seeded.support, last)

    assert (response.status_code, len(_deliveries(strict))) == (429, 2)
    assert 55 <= int(response.headers["Retry-After"]) <= 60
    assert _words(response) == (
        "Not sent: too many tests went to an address of this destination within a minute. "
        f"Send another test in {response.headers['Retry-After']} seconds."
    )
    assert 'data-last-test="never"' in response.text
    assert "data-until" not in response.text


def test_a_refusal_has_the_same_words_whoever_used_up_the_limit(strict: Flask, seeded: SeededIds) -> None:
    harbors = _add_webhooks(strict, seeded.harbor, *["https://a.example/"] * 3)
    clinics = _add_webhooks(strict, seeded.clinic, *["https://a.example/"] * 3)
    for number in clinics[:2]:
        assert _press(strict, seeded.stranger, number, "clinic").status_code == 200

    own, others = _press(strict, seeded.stranger, clinics[2], "clinic"), _press(strict, seeded.admin, harbors[0])

    assert (own.status_code, others.status_code) == (429, 429)
    assert re.sub(r"\d+", "N", _words(own)) == re.sub(r"\d+", "N", _words(others))


def test_a_mail_with_one_recipient_over_the_limit_is_refused_and_counts_for_no_recipient(
    strict: Flask, seeded: SeededIds
) -> None:
    add = partial(_add, strict, seeded.harbor, "email")
    full = [add(recipients="busy@example.com"), add(recipients="Busy@EXAMPLE.com")]
    together = [add(recipients="free@example.com, busy@example.com") for _ in range(3)]
    assert [_press(strict, seeded.admin, number).status_code for number in full] == [200, 200]

    assert [_press(strict, seeded.admin, number).status_code for number in together] == [429, 429, 429]

    free = [add(recipients="free@example.com"), add(recipients="free@example.com, other+tag@example.com")]
    assert [_press(strict, seeded.admin, number).status_code for number in free] == [200, 200]


def test_a_trusted_origin_has_no_limit(strict: Flask, seeded: SeededIds, httpserver: HTTPServer) -> None:
    numbers = _add_webhooks(strict, seeded.harbor, *[f"http://127.0.0.1:{httpserver.port}/hook"] * 5)

    assert {_press(strict, seeded.admin, number).status_code for number in numbers} == {200}


@pytest.mark.parametrize(
    ("channel", "settings"),
    [
        ("webhook", {}),
        ("webhook", {"address": "no address"}),
        ("email", {}),
        ("email", {"recipients": "@,"}),
        ("fax", {}),
    ],
)
def test_a_destination_with_unusable_settings_is_accepted_and_left_to_the_worker(
    strict: Flask, seeded: SeededIds, channel: str, settings: dict[str, str]
) -> None:
    assert _press(strict, seeded.admin, _add(strict, seeded.harbor, channel, **settings)).status_code == 200


def test_unreadable_settings_are_accepted_and_left_to_the_worker(strict: Flask, seeded: SeededIds) -> None:
    with strict.app_context():
        get_destination(seeded).config = "damaged"
        db.session.commit()

    assert _press(strict, seeded.admin, seeded.destination).status_code == 200


@pytest.mark.parametrize(("limit", "subject"), [("MEMBER", "you"), ("WORKSPACE", "this workspace")])
def test_a_press_over_the_limit_of_a_member_or_a_workspace_is_refused_with_the_seconds_left(
    environment: dict[str, str], seeded: SeededIds, limit: str, subject: str
) -> None:
    app = create_app(read_settings(environment | {f"ALERTCHECK_PRESSES_PER_{limit}": "1"}))
    first, second = _add_webhooks(app, seeded.harbor, "https://a.example/", "https://b.example/")
    assert _press(app, seeded.admin, first).status_code == 200

    response = _press(app, seeded.admin, second)

    assert response.status_code == 429
    assert _words(response) == (
        f"Not sent: {subject} sent too many tests within a minute. "
        f"Send another test in {response.headers['Retry-After']} seconds."
    )


def test_without_javascript_a_refusal_by_a_limit_has_the_seconds_too(strict: Flask, seeded: SeededIds) -> None:
    numbers = _add_webhooks(strict, seeded.harbor, *["https://a.example/"] * 3)
    visitor = Visitor.signed_in(strict, seeded.admin)
    for number in numbers:
        last = visitor.post(f"/w/harbor/destinations/{number}/test", headers={"Sec-Fetch-Mode": "navigate"})

    assert re.search(r"within a minute\. Send another test in \d+ seconds\.", visitor.get(last.location).text)


@on_both_databases
def test_of_many_presses_at_once_a_target_gets_exactly_as_many_as_its_limit(strict: Flask, seeded: SeededIds) -> None:
    numbers = _add_webhooks(strict, seeded.harbor, *["https://a.example/"] * 7)

    with ThreadPoolExecutor(7) as threads:
        codes = threads.map(lambda number: _press(strict, seeded.admin, number).status_code, numbers)

    assert sorted(codes) == [200] * 2 + [429] * 5
    assert len(_deliveries(strict)) == 2


@on_both_databases
def test_a_change_between_the_check_and_the_row_does_not_reach_another_target(
    strict: Flask, seeded: SeededIds, app_settings: AppSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    (number,) = _add_webhooks(strict, seeded.harbor, "https://a.example/")

    @contextmanager
    def change_meanwhile(presses: Sequence[Press]) -> Iterator[Refusals]:
        with enforce_limits(presses) as refusals, ThreadPoolExecutor(1) as another:
            another.submit(_change, strict, seeded, number, "https://b.example/").result()
            yield refusals

    monkeypatch.setattr("webapp.presses.press.enforce_limits", change_meanwhile)

    assert _press(strict, seeded.admin, number).status_code == 200
    (delivery,) = _deliveries(strict)
    with strict.app_context():
        send(delivery.id, app_settings)
    assert [row.last_error_code for row in _deliveries(strict)] == ["destination_changed"]


def _change(app: Flask, seeded: SeededIds, number: int, address: str) -> None:
    with app.app_context():
        settings = {"address": address, "signing_secret": SIGNING_SECRET}
        destination = db.session.get_one(AlertDestination, number)
        change_destination(destination, get_account(seeded), "Changed", settings, current_settings().cipher, NOW)
