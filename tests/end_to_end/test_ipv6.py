"""A web server that listens on IPv6."""

import socket

import pytest

from benchmarks.installation.processes import Session, Stack

pytestmark = pytest.mark.slow


@pytest.fixture
def environment(environment: dict[str, str]) -> dict[str, str]:
    return environment | {"ALERTCHECK_ALLOWED_HOSTS": "alertcheck.example.com"}


@pytest.fixture
def visitor(stack: Stack) -> Session:
    if not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    return stack.start_web(host="[::]")


def test_a_member_signs_in_over_ipv6(visitor: Session, owner: tuple[str, str]) -> None:
    visitor.sign_in(*owner)

    assert visitor.origin.startswith("http://[::1]:")
    assert visitor.get("/w/harbor/destinations").status_code == 200


def test_it_accepts_ipv4_too_and_tells_the_visitors_apart(visitor: Session, stack: Stack) -> None:
    ipv4 = visitor.with_origin(visitor.origin.replace("[::1]", "127.0.0.1"))

    statuses = [visitor.get("/seen/forged").status_code for _ in range(31)]

    assert statuses == [404] * 30 + [429]
    assert ipv4.get("/seen/forged").status_code == 404
    assert [line for line in stack.children[0].output() if "needs attention" in line] == []
