"""What every channel's tests need: a message to send, a far end on the loopback, and the operator's trust in it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request

from webapp.channels.contract import Message
from webapp.outbound import OutboundClient, Policy
from webapp.outbound.policy.urls import Origin

LINK = "https://alertcheck.example.com/seen/WzEsIks3Il0.x-_y"
"""A message's, where it has one."""


@dataclass(frozen=True)
class ScriptedServer:
    """A web server that answers every request as it is told, and keeps what it was sent."""

    server: HTTPServer

    @property
    def outbound(self) -> OutboundClient:
        """The settings of an operator who trusts it."""
        return OutboundClient(Policy(trusted_origins=frozenset({Origin("http", "127.0.0.1", self.server.port)})))

    @property
    def requests(self) -> list[Request]:
        """What it was sent."""
        return [request for request, _ in self.server.log]

    @property
    def request(self) -> Request:
        """The one request it was sent."""
        (request,) = self.requests
        return request

    @property
    def json(self) -> Any:
        """The one request's body."""
        return json.loads(self.request.get_data())

    def url(self, path: str) -> str:
        """Return its address with this path."""
        return str(self.server.url_for(path))

    def answers(self, status: int, body: bytes | str = b"", headers: Mapping[str, str] | None = None) -> None:
        """Answer like this from now on."""
        self.server.clear_all_handlers()
        self.server.expect_request(re.compile("")).respond_with_data(body, status, headers)


@pytest.fixture(scope="session")
def httpserver_listen_address() -> tuple[str, int]:
    return ("127.0.0.1", 0)


@pytest.fixture
def receiver(httpserver: HTTPServer) -> ScriptedServer:
    return ScriptedServer(httpserver)


@pytest.fixture
def message() -> Message:
    """A test send, pressed in another time zone: 14:05:06 there is 08:35:06 UTC."""
    return Message(
        event_type="alerts.test",
        message_id="msg_2f9c",
        reference="K7QM-4T",
        workspace="Acme GmbH",
        destination="On-call",
        requested_by="Support desk",
        requested_at=datetime(2026, 11, 3, 14, 5, 6, tzinfo=timezone(timedelta(hours=5, minutes=30))),
    )


@pytest.fixture
def linked(message: Message) -> Message:
    """The same with a link."""
    return replace(message, receipt_link=LINK)


@pytest.fixture
def facts() -> dict[str, str]:
    """What `message` has to say of itself."""
    return {
        "Workspace": "Acme GmbH",
        "Destination": "On-call",
        "Sent by": "Support desk",
        "Sent at": "2026-11-03 08:35:06 UTC",
        "Reference": "K7QM-4T",
    }
