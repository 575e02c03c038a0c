"""Where the receiver's paths lead."""

import pytest

from webapp.demo.receiver.routes import compose_ending, find_route
from webapp.demo.receiver.scenarios import Scenario, Service

HTTP_SERVICES = [service for service in Service if service is not Service.EMAIL]

# What each channel posts to, after the address that its destination has.
CALLS = {
    Service.TELEGRAM: "/bot1%3AA/sendMessage",
    Service.PAGERDUTY: "/v2/enqueue",
    Service.PUSHOVER: "/1/messages.json",
    Service.JIRA_SERVICE_MANAGEMENT: "/jsm/ops/integration/v2/alerts",
    Service.DISCORD: "?wait=true&thread_id=1",
}
ALERTS = "/jira_service_management/works/jsm/ops/integration/v2/alerts"


@pytest.mark.parametrize("service", HTTP_SERVICES)
@pytest.mark.parametrize("key", ["", "/abc"])
@pytest.mark.parametrize("ending", ["", compose_ending])
def test_a_message_to_an_address_belongs_to_the_place_of_the_address(
    service: Service, key: str, ending: object
) -> None:
    address = f"{key}/{service}/busy-twice" + (compose_ending(service, "k" * 43) if ending else "")
    called = address + CALLS.get(service, "")
    route, own = find_route(called), find_route(address)
    assert route
    assert own
    assert (route.service, route.scenario, route.key) == (service, Scenario.BUSY_TWICE, key[1:] or None)
    assert (route.is_endpoint, own.call, route.place) == (True, "", own.place)


@pytest.mark.parametrize("service", HTTP_SERVICES)
def test_two_addresses_are_two_places(service: Service) -> None:
    first, second = (find_route(f"/{service}/works{compose_ending(service, mark * 43)}") for mark in "ab")
    assert first
    assert second
    assert first.place != second.place


@pytest.mark.parametrize(
    "path",
    [
        "/telegram/works",
        "/telegram/works/bot1/sendPhoto",
        "/telegram/works/bot1/x/sendMessage",
        "/pagerduty/works/v2/enqueue/",
        "/ntfy/works/topic",
        "/pushover/works/1/messages_json",
        f"{ALERTS}/k",
        f"{ALERTS}//close",
        "/discord/works/api/webhooks/x/y",
        "/slack/works/",
        "/teams/works/v2/enqueue",
    ],
)
def test_other_paths_of_a_service_receive_nothing(path: str) -> None:
    route = find_route(path)
    assert route
    assert not route.is_endpoint


@pytest.mark.parametrize("path", ["", "/", "/x", "/teams", "/email/works", "/a/b/teams/works", "/teams/works2"])
def test_any_other_path_leads_nowhere(path: str) -> None:
    assert find_route(path) is None


def test_an_alert_is_closed_by_its_alias() -> None:
    route = find_route(f"{ALERTS}/a%20b/close?identifierType=alias")
    opened = find_route(ALERTS)
    assert route
    assert opened
    assert (route.closed, opened.closed, route.place) == ("a b", None, opened.place)


def test_the_address_of_a_server_has_no_query() -> None:
    assert "?" not in compose_ending(Service.TELEGRAM, "k" * 43)
