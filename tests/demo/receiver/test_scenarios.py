"""The receiver's closed list of scenarios."""

import json

import pytest

from webapp.demo.receiver.scenarios import (
    MESSAGES_REMEMBERED,
    Attempts,
    Mailbox,
    MailReply,
    Reply,
    Scenario,
    Service,
    mailbox_of,
    reply_to,
    reply_to_mail,
    reply_to_recipient,
)

# Services whose refusals have no body of a form of their own.
PLAIN = (Service.TEAMS, Service.SLACK, Service.WEBHOOK)


@pytest.mark.parametrize(
    ("service", "reply"),
    [(Service.TEAMS, Reply(202)), (Service.WEBHOOK, Reply(200)), (Service.SLACK, Reply(200, "ok"))],
)
def test_each_service_accepts_with_its_own_response(service: Service, reply: Reply) -> None:
    assert reply_to(service, Scenario.WORKS, 1) == reply


@pytest.mark.parametrize(
    ("scenario", "attempt", "reply"),
    [
        (Scenario.MISSING, 1, Reply(404)),
        (Scenario.DENIED, 1, Reply(401)),
        (Scenario.SILENT, 1, Reply(None)),
        (Scenario.SLOW, 1, Reply(202, wait=2.0)),
        (Scenario.BUSY_TWICE, 1, Reply(503, retry_after=2)),
        (Scenario.BUSY_TWICE, 2, Reply(503, retry_after=2)),
        (Scenario.BUSY_TWICE, 3, Reply(202)),
        (Scenario.LATER, 1, Reply(429, retry_after=3600)),
        (Scenario.MOVED, 1, Reply(308, location="works")),
        (Scenario.READ_ONLY, 1, Reply(405)),
        (Scenario.GATEWAY, 1, Reply(504)),
    ],
)
def test_a_scenario_responds_as_its_name_says(scenario: Scenario, attempt: int, reply: Reply) -> None:
    assert reply_to(Service.TEAMS, scenario, attempt) == reply


@pytest.mark.parametrize(
    ("service", "status", "word"),
    [
        (Service.TEAMS, 400, "WorkflowTriggerIsNotEnabled"),
        (Service.SLACK, 403, "invalid_token"),
        (Service.WEBHOOK, 410, ""),
    ],
)
def test_what_is_turned_off_says_so_in_the_services_own_word(service: Service, status: int, word: str) -> None:
    reply = reply_to(service, Scenario.TURNED_OFF, 1)
    assert (reply.status, word in reply.body) == (status, True)


HTTP_SERVICES = [service for service in Service if service is not Service.EMAIL]


@pytest.mark.parametrize("service", HTTP_SERVICES)
@pytest.mark.parametrize("scenario", Scenario)
def test_every_scenario_has_a_reply(service: Service, scenario: Scenario) -> None:
    assert reply_to(service, scenario, 1)


@pytest.mark.parametrize("service", [service for service in HTTP_SERVICES if service not in PLAIN])
@pytest.mark.parametrize("scenario", [Scenario.MISSING, Scenario.DENIED, Scenario.LATER, Scenario.BUSY_TWICE])
def test_a_service_with_json_refuses_with_json(service: Service, scenario: Scenario) -> None:
    reply = reply_to(service, scenario, 1)
    assert (type(json.loads(reply.body)), reply.media_type, reply.accepts) == (dict, "application/json", False)


@pytest.mark.parametrize("service", HTTP_SERVICES)
def test_only_a_request_that_closes_an_alert_is_refused_where_alerts_stay_open(service: Service) -> None:
    closing = reply_to(service, Scenario.STAYS_OPEN, 1, is_closing=True)
    assert reply_to(service, Scenario.STAYS_OPEN, 1).accepts
    assert closing.accepts == (service not in (Service.PAGERDUTY, Service.JIRA_SERVICE_MANAGEMENT))


@pytest.mark.parametrize(
    ("reply", "accepts"),
    [(Reply(200), True), (Reply(202), True), (Reply(199), False), (Reply(300), False), (Reply(None), False)],
)
def test_only_a_status_from_200_to_299_accepts(reply: Reply, accepts: bool) -> None:
    assert reply.accepts is accepts


@pytest.mark.parametrize(
    ("address", "mailbox"),
    [
        ("works@demo.example", Mailbox.WORKS),
        ("unknown@demo.example", Mailbox.UNKNOWN),
        ("Busy-Twice@demo.example", Mailbox.BUSY_TWICE),
        ("somebody.else@demo.example", Mailbox.WORKS),
        ("", Mailbox.WORKS),
    ],
)
def test_the_part_before_the_at_sign_selects_the_mailbox(address: str, mailbox: Mailbox) -> None:
    assert mailbox_of(address) is mailbox


def test_an_unknown_mailbox_is_refused_at_the_recipient() -> None:
    assert str(reply_to_recipient(Mailbox.UNKNOWN)) == "550 5.1.1 No such mailbox"


def test_a_busy_mailbox_accepts_the_recipient() -> None:
    assert reply_to_recipient(Mailbox.BUSY_TWICE).accepts


@pytest.mark.parametrize(("attempt", "code"), [(1, 451), (2, 451), (3, 250)])
def test_a_busy_mailbox_accepts_the_third_attempt(attempt: int, code: int) -> None:
    assert reply_to_mail(Mailbox.BUSY_TWICE, attempt).code == code


def test_a_temporary_refusal_is_not_an_acceptance() -> None:
    assert not MailReply(451, "4.3.0 Busy").accepts


def try_each_once(attempts: Attempts, messages: list[str]) -> None:
    for message in messages:
        attempts.count(message)


def test_attempts_are_counted_per_message() -> None:
    attempts = Attempts()
    attempts.count("first")
    assert (attempts.count("first"), attempts.count("second")) == (2, 1)


def test_the_least_recently_tried_message_is_forgotten_first() -> None:
    attempts = Attempts()
    try_each_once(attempts, ["oldest", *(f"message {number}" for number in range(MESSAGES_REMEMBERED))])
    assert attempts.count("oldest") == 1
