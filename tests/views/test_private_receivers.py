"""The form of a destination accepts private receivers in the workspace whose network is allowed, and nowhere else."""

from collections.abc import Callable

import pytest

from tests.factories import SeededIds
from tests.visitor import Visitor

Visit = Callable[[int], Visitor]

RECEIVERS = [
    "http://10.0.0.5/canary",
    "https://10.0.0.5/canary",
    "http://receiver/canary",
    "http://receiver.lan/canary",
]
ADVICE = "allow its network in ALERTCHECK_ALLOWED_NETWORKS"


@pytest.fixture
def environment(environment: dict[str, str]) -> dict[str, str]:
    return environment | {"ALERTCHECK_ALLOWED_NETWORKS": "harbor=10.0.0.0/8"}


@pytest.fixture
def harbor(seeded: SeededIds, visit: Visit) -> Visitor:
    return visit(seeded.admin)


@pytest.fixture
def clinic(seeded: SeededIds, visit: Visit) -> Visitor:
    return visit(seeded.stranger)


def _check(visitor: Visitor, slug: str, address: str, channel: str = "webhook") -> str:
    return visitor.post(f"/w/{slug}/destinations/new/{channel}/check/address", {"address": address}).text


@pytest.mark.parametrize("address", RECEIVERS)
def test_the_workspace_with_the_network_may_save_a_private_receiver(harbor: Visitor, address: str) -> None:
    assert "Can be saved." in _check(harbor, "harbor", address)
    saved = harbor.post("/w/harbor/destinations/new/webhook", {"name": "n", "address": address})
    assert saved.status_code == 302
    assert harbor.get(f"{saved.headers['Location']}/preview").status_code == 200


@pytest.mark.parametrize("address", RECEIVERS)
def test_another_workspace_may_not_and_learns_what_to_ask_for(clinic: Visitor, address: str) -> None:
    checked = _check(clinic, "clinic", address)
    saved = clinic.post("/w/clinic/destinations/new/webhook", {"name": "n", "address": address})
    assert saved.status_code == 400
    assert ADVICE in checked
    assert ADVICE in saved.text
    assert "canary" not in checked + saved.text


def test_the_refusal_is_the_same_whether_another_workspace_may_reach_the_host(clinic: Visitor) -> None:
    known = _check(clinic, "clinic", "http://10.0.0.5/x")
    unknown = _check(clinic, "clinic", "http://172.16.0.5/x")
    assert known.replace("10.0.0.5", "172.16.0.5") == unknown


def test_a_port_that_is_not_allowed_is_named_with_its_setting(harbor: Visitor, clinic: Visitor) -> None:
    allowed = _check(harbor, "harbor", "http://receiver.lan:8080/x")
    assert "uses port 8080 instead of 80 or 443" in allowed
    assert "allow port 8080 in ALERTCHECK_ALLOWED_PORTS, or to add http://receiver.lan:8080" in allowed
    refused = _check(clinic, "clinic", "http://receiver.lan:8080/x")
    assert f"{ADVICE}, and port 8080 in ALERTCHECK_ALLOWED_PORTS" in refused


@pytest.mark.parametrize(
    "address",
    [
        "http://192.168.4.1/x",
        "http://127.0.0.1/x",
        "http://169.254.169.254/x",
        "http://localhost/x",
        "http://0x0a000005/x",
    ],
)
def test_the_workspace_with_the_network_may_save_nothing_else(harbor: Visitor, address: str) -> None:
    assert "Can be saved." not in _check(harbor, "harbor", address)


@pytest.mark.parametrize("channel", ["slack", "teams"])
def test_a_service_on_the_internet_stays_there(harbor: Visitor, channel: str) -> None:
    assert "Can be saved." not in _check(harbor, "harbor", "http://receiver.lan/services/x?sig=x", channel)
