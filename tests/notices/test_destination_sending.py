"""A chosen destination is told about the others by a real receiver: once, without secrets, and only while it works."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from sqlalchemy import select

from tests.factories import (
    SECRET_PATH,
    SIGNING_SECRET,
    add_delivery,
    get_account,
    get_workspace,
    on_both_databases,
)
from tests.notices.chosen_destinations import add, choose, plan, read_notices, send, tell
from tests.notices.conftest import Installation
from webapp.app_state import current_settings
from webapp.channels.contract import Channel
from webapp.deliveries.attempts.claiming import get_channel
from webapp.destinations.editing import delete_destination, set_enabled
from webapp.extensions import db
from webapp.failures import Code, DeliveryFailed
from webapp.models import AlertDelivery, AlertDestination, DeliveryStatus
from webapp.notices import destination_sending
from webapp.notices.chosen_destination_health import Obstacle
from webapp.notices.destination_sending import LIFETIME, LOST_AFTER, claim
from webapp.notices.notice_timing import AFTER_FAILURE, UNDER_WAY_FOR
from webapp.outbound.policy.counted_targets import SendTarget, TargetKind
from webapp.presses.limit_counters import admit_targets

pytestmark = on_both_databases

Change = Callable[[Installation], None]

TARGET = SendTarget(TargetKind.HOST, "hooks.example.com")


@pytest.fixture
def broken(installation: Installation, httpserver: HTTPServer) -> int:
    """A Slack destination that is about to fail. The webhook beside it works, and is chosen to be told."""
    httpserver.expect_request(SECRET_PATH).respond_with_data()
    installation.accept()
    assert choose(installation, installation.seeded.destination) is None
    return add(installation, "slack", "On-call channel")


def _read_messages(server: HTTPServer) -> list[Any]:
    return [json.loads(request.get_data()) for request, _ in server.log]


def test_a_real_receiver_gets_one_message_that_shows_no_secret(
    installation: Installation, broken: int, httpserver: HTTPServer
) -> None:
    installation.fail(broken)
    for _ in range(3):
        tell(installation)
        installation.wait(minutes=2)

    (message,) = _read_messages(httpserver)
    text = json.dumps(message)
    assert message["type"] == "alerts.notice"
    assert "1 destination stopped working (Harbor Logistics)" in text
    assert message["data"]["about"] == "“On-call channel”"
    assert "Open Problems in Alertcheck" in text
    assert not any(secret in text for secret in ("canary", SIGNING_SECRET, "/seen/", "hooks.slack.com"))
    assert "[TEST]" not in text
    assert read_notices(installation) == [("sent", None)]
    with installation.app.app_context():
        tests = db.session.scalars(select(AlertDelivery.event_type).where(AlertDelivery.event_type == "alerts.notice"))
        assert tests.all() == []


def test_it_is_told_of_the_recovery_and_once_a_day_in_between(
    installation: Installation, broken: int, httpserver: HTTPServer
) -> None:
    for _ in range(30):
        installation.fail(broken)
        tell(installation)
        installation.wait(hours=1)
    installation.accept(broken)
    tell(installation)

    texts = [json.dumps(message) for message in _read_messages(httpserver)]
    said = ("1 destination stopped working", "1 destination still fails", "1 destination works again")
    assert [words for text in texts for words in said if words in text] == list(said)


def test_each_new_problem_is_told_by_a_message_of_its_own(
    installation: Installation, broken: int, httpserver: HTTPServer
) -> None:
    other = add(installation, "discord", "Side channel")
    installation.fail(broken)
    tell(installation)
    installation.wait(minutes=20)
    installation.fail(other)
    tell(installation)

    assert len(_read_messages(httpserver)) == 2
    assert read_notices(installation) == [("sent", None)] * 2


def test_two_workers_at_once_send_once(installation: Installation, broken: int, httpserver: HTTPServer) -> None:
    installation.fail(broken)
    with ThreadPoolExecutor(4) as workers:
        (notice_id,) = {found for waiting in workers.map(lambda _: plan(installation), range(4)) for found in waiting}
        list(workers.map(lambda _: send(installation, notice_id), range(4)))

    assert len(httpserver.log) == 1
    assert read_notices(installation) == [("sent", None)]


def test_a_worker_that_dies_after_the_claim_leaves_it_uncertain_and_nobody_sends_it_again(
    installation: Installation, broken: int, httpserver: HTTPServer
) -> None:
    installation.fail(broken)
    (notice_id,) = plan(installation)
    with installation.app.app_context():
        assert claim(notice_id, current_settings(), installation.clock.at) is not None
    send(installation, notice_id)
    assert plan(installation) == []

    for _ in range(20):
        installation.clock.at += LOST_AFTER
        tell(installation)
    installation.wait(hours=3)
    tell(installation)

    assert httpserver.log == []
    assert read_notices(installation) == [("failed", Code.WORKER_LOST.value)]


def test_one_that_no_worker_sent_in_time_is_written_anew(
    installation: Installation, broken: int, httpserver: HTTPServer
) -> None:
    installation.fail(broken)
    (late,) = plan(installation)
    installation.clock.at += LIFETIME
    send(installation, late)
    assert httpserver.log == []

    tell(installation)
    installation.clock.at += AFTER_FAILURE
    tell(installation)

    assert read_notices(installation) == [("failed", Code.NOT_STARTED.value), ("sent", None)]
    assert len(httpserver.log) == 1


def test_a_receiver_that_refuses_is_tried_again_an_hour_later(
    installation: Installation, broken: int, httpserver: HTTPServer
) -> None:
    httpserver.clear_all_handlers()
    httpserver.expect_request(SECRET_PATH).respond_with_data(status=404)
    installation.fail(broken)
    for _ in range(59):
        tell(installation)
        installation.wait(minutes=1)
    assert read_notices(installation) == [("failed", Code.NOT_FOUND.value)]

    httpserver.clear_all_handlers()
    httpserver.expect_request(SECRET_PATH).respond_with_data()
    installation.wait(minutes=2)
    tell(installation)

    assert read_notices(installation) == [("failed", Code.NOT_FOUND.value), ("sent", None)]


def test_one_that_may_have_arrived_is_not_sent_again(
    installation: Installation, broken: int, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang(*_: object) -> None:
        raise DeliveryFailed(Code.READ_TIMEOUT)

    monkeypatch.setattr(Channel, "send", property(lambda _: hang), raising=False)
    installation.fail(broken)
    for _ in range(5):
        tell(installation)
        installation.wait(hours=1)

    assert read_notices(installation) == [("failed", Code.READ_TIMEOUT.value)]


def _disable(installation: Installation) -> None:
    with installation.destination() as destination:
        set_enabled(destination, get_account(installation.seeded), False, installation.clock.at)


def _delete(installation: Installation) -> None:
    with installation.destination() as destination:
        delete_destination(destination, get_account(installation.seeded), installation.clock.at)


def _edit(installation: Installation) -> None:
    with installation.destination() as destination:
        destination.settings_version += 1
        db.session.commit()


def _break(installation: Installation) -> None:
    installation.fail()


def _fail_test(installation: Installation) -> None:
    installation.wait(seconds=1)
    with installation.destination() as destination:
        facts = {"status": DeliveryStatus.FAILED, "last_error_code": Code.NOT_FOUND.value}
        add_delivery(destination, created_at=installation.clock.at, **facts)


def _choose_none(installation: Installation) -> None:
    assert choose(installation, None) is None


OBSTACLES = pytest.mark.parametrize(
    ("change", "obstacle"),
    [
        (_disable, Obstacle.DISABLED),
        (_delete, Obstacle.DELETED),
        (_edit, Obstacle.UNTESTED),
        (_fail_test, Obstacle.UNTESTED),
        (_break, Obstacle.HAS_PROBLEM),
    ],
)


@OBSTACLES
def test_a_destination_that_cannot_be_told_is_skipped_without_a_row_for_each_look(
    installation: Installation, broken: int, httpserver: HTTPServer, change: Change, obstacle: Obstacle
) -> None:
    change(installation)
    installation.fail(broken)
    for _ in range(30):
        tell(installation)
        installation.clock.at += UNDER_WAY_FOR

    assert httpserver.log == []
    assert read_notices(installation) == []


@pytest.mark.parametrize(("change", "obstacle"), [*OBSTACLES.args[1], (_choose_none, Obstacle.NOT_CHOSEN)])
def test_what_is_in_the_way_since_the_notice_was_written_cancels_it_once(
    installation: Installation, broken: int, httpserver: HTTPServer, change: Change, obstacle: Obstacle
) -> None:
    installation.fail(broken)
    (notice_id,) = plan(installation)
    change(installation)
    send(installation, notice_id)
    for _ in range(30):
        tell(installation)
        installation.clock.at += UNDER_WAY_FOR

    assert httpserver.log == []
    assert read_notices(installation) == [("canceled", obstacle.value)]


def test_what_breaks_during_the_claim_keeps_it_from_being_sent(
    installation: Installation, broken: int, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.fail(broken)
    (notice_id,) = plan(installation)
    prepare = destination_sending._prepare

    def edit_and_prepare(*facts: Any) -> Any:
        with ThreadPoolExecutor() as editor:
            editor.submit(_edit, installation).result()
        return prepare(*facts)

    monkeypatch.setattr(destination_sending, "_prepare", edit_and_prepare)
    send(installation, notice_id)
    monkeypatch.undo()
    tell(installation)

    assert httpserver.log == []
    assert read_notices(installation) == [("canceled", Obstacle.UNTESTED.value)]


def test_it_is_told_what_is_still_true_once_it_works_again(
    installation: Installation, broken: int, httpserver: HTTPServer
) -> None:
    installation.fail()
    installation.fail(broken)
    tell(installation)
    assert httpserver.log == []

    installation.accept()
    tell(installation)
    installation.clock.at += UNDER_WAY_FOR
    tell(installation)

    (message,) = _read_messages(httpserver)
    assert "1 destination stopped working" in json.dumps(message)


def test_problems_of_its_own_channel_are_not_told_to_it(
    installation: Installation, broken: int, httpserver: HTTPServer
) -> None:
    same = add(installation, "webhook", "Second webhook")
    installation.fail(same)
    tell(installation)
    assert read_notices(installation) == []

    installation.fail(broken)
    tell(installation)

    (message,) = _read_messages(httpserver)
    assert "1 destination stopped working" in json.dumps(message)


def test_a_problem_that_ended_before_it_was_told_is_not_told(
    installation: Installation, broken: int, httpserver: HTTPServer
) -> None:
    installation.fail(broken)
    (notice_id,) = plan(installation)
    installation.accept(broken)
    assert plan(installation) == [notice_id]
    send(installation, notice_id)
    for _ in range(3):
        tell(installation)
        installation.clock.at += UNDER_WAY_FOR

    assert httpserver.log == []
    assert read_notices(installation) == [("canceled", None)]


@pytest.mark.parametrize(("tests_before", "is_next_admitted"), [(58, True), (59, False), (60, False)])
def test_it_counts_for_its_target_and_is_told_whatever_others_send_there(
    installation: Installation,
    broken: int,
    httpserver: HTTPServer,
    monkeypatch: pytest.MonkeyPatch,
    tests_before: int,
    is_next_admitted: bool,
) -> None:
    monkeypatch.setattr(destination_sending, "get_channel", _get_counted_channel)
    installation.fail(broken)
    (notice_id,) = plan(installation)
    with installation.app.app_context():
        assert [admit_targets([TARGET]) for _ in range(tests_before)] == [True] * tests_before
    send(installation, notice_id)

    assert read_notices(installation) == [("sent", None)]
    assert len(_read_messages(httpserver)) == 1
    with installation.app.app_context():
        assert admit_targets([TARGET]) is is_next_admitted


def _get_counted_channel(destination: AlertDestination) -> Channel:
    """Return the destination's channel with a target of the internet: that of the tests has no limit."""
    return replace(get_channel(destination), targets=lambda _settings, _outbound: (TARGET,))


def test_a_deleted_workspace_is_told_nothing(installation: Installation, broken: int, httpserver: HTTPServer) -> None:
    installation.fail(broken)
    (notice_id,) = plan(installation)
    with installation.app.app_context():
        get_workspace(installation.seeded).deleted_at = installation.clock.at
        db.session.commit()
    send(installation, notice_id)

    assert httpserver.log == []
