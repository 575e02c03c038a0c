"""Fixtures for channel tests: a message, a receiver on the loopback, and an outbound client that trusts it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request

from webapp.channels.message import Message
from webapp.outbound import OutboundClient, Policy
from webapp.outbound.policy.urls import Origin

# The receipt link of a message that has one.
LINK = "https://alertcheck.example.com/seen/WzEsIks3Il0.x-_y"


@dataclass(frozen=True)
class RecordingReceiver:
    """A web server with a configurable response that records every request."""

    server: HTTPServer

    @property
    def outbound(self) -> OutboundClient:
        """The outbound client of an administrator who trusts this receiver."""
        return OutboundClient(Policy(trusted_origins=frozenset({Origin("http", "127.0.0.1", self.server.port)})))

    @property
    def requests(self) -> list[Request]:
        """Every recorded request."""
        return [request for request, _ in self.server.log]

    @property
    def request(self) -> Request:
        """The only recorded request."""
        (request,) = self.requests
        return request

    @property
    def json(self) -> Any:
        """The parsed body of the only request."""
        return json.loads(self.request.get_data())

    def url(self, path: str) -> str:
        """Return the receiver's URL for a path."""
        return str(self.server.url_for(path))

    def respond_with(self, status: int, body: bytes | str = b"", headers: Mapping[str, str] | None = None) -> None:
        """Set the response to every later request."""
        self.server.clear_all_handlers()
        self.server.expect_request(re.compile("")).respond_with_data(body, status, headers)


@pytest.fixture(scope="session")
def httpserver_listen_address() -> tuple[str, int]:
    return ("127.0.0.1", 0)


@pytest.fixture
def receiver(httpserver: HTTPServer) -> RecordingReceiver:
    return RecordingReceiver(httpserver)


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
def message_with_link(message: Message) -> Message:
    """The same message with a receipt link."""
    return replace(message, receipt_link=LINK)


@pytest.fixture
def facts() -> dict[str, str]:
    """The labels and values that `message` must show."""
    return {
        "Workspace": "Acme GmbH",
        "Destination": "On-call",
        "Sent by": "Support desk",
        "Sent at": "2026-11-03 08:35:06 UTC",
        "Reference": "K7QM-4T",
    }
