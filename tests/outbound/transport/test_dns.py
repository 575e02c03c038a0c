"""The resolver of the machine."""

import socket

import pytest

from tests.outbound.outcome_of import failing
from webapp.failures import Code, DeliveryFailed
from webapp.outbound.transport.dns import Resolver, resolve, system_resolver


def test_the_systems_resolver_returns_each_address_once() -> None:
    assert system_resolver("127.0.0.1") == ["127.0.0.1"]


def resolve_with(resolver: Resolver) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        resolve("hooks.example.com", resolver, 2.0)
    return caught.value


@pytest.mark.parametrize("resolver", [failing(socket.EAI_NODATA), lambda host: []])
def test_a_name_without_an_address_is_told_from_one_that_does_not_exist(resolver: Resolver) -> None:
    failure = resolve_with(resolver)
    assert failure.code is Code.DNS_NOT_FOUND
    assert failure.message == "hooks.example.com exists in the DNS, but without an address."


def test_a_name_that_does_not_exist_was_not_found() -> None:
    failure = resolve_with(failing(socket.EAI_NONAME))
    assert failure.code is Code.DNS_NOT_FOUND
    assert failure.message == "hooks.example.com was not found in the DNS."
