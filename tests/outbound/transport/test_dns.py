"""The resolver of the machine."""

from webapp.outbound.transport.dns import system_resolver


def test_the_systems_resolver_returns_each_address_once() -> None:
    assert system_resolver("127.0.0.1") == ["127.0.0.1"]
