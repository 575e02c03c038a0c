"""The HTTP receiver: stands in for every HTTP service that the channels send to, at the addresses of `routes`."""

import hashlib
import re
import select
import sys
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from logging import getLogger
from pathlib import Path
from socketserver import TCPServer
from typing import Any

from webapp.demo.receiver.inbox import Arrival, Inbox
from webapp.demo.receiver.inboxes import Inboxes
from webapp.demo.receiver.messages.hidden_secrets import hide_secrets
from webapp.demo.receiver.messages.incidents import parse_incident
from webapp.demo.receiver.messages.json_text import find_text, parse_object
from webapp.demo.receiver.messages.parsing import find_reference
from webapp.demo.receiver.refusals import NEW_CHAT_ID
from webapp.demo.receiver.routes import ReceiverRoute, find_route
from webapp.demo.receiver.scenarios import Attempts, Reply, Scenario, Service, reply_to
from webapp.demo.receiver.signature import check_signature

HOST = "127.0.0.1"
LARGEST_BODY = 64 * 1024
LARGEST_DRAINED = 1024 * 1024
READ_SECONDS = 10
SILENT_SECONDS = 60

log = getLogger(__name__)


# The methods by which each service accepts messages.
_METHODS = dict.fromkeys(Service, ("POST",)) | {Service.WEBHOOK: ("POST", "PUT")}

# The headers that every request has.
_USUAL = frozenset({"accept-encoding", "connection", "content-length", "host", "user-agent"})


class HttpReceiver(ThreadingHTTPServer):
    """Listens on loopback and keeps the messages in their inbox."""

    request_queue_size = 64

    def __init__(self, port: int, inboxes: Inboxes, signing_secret_file: Path | None) -> None:
        super().__init__((HOST, port), _Handler)
        self.inboxes = inboxes
        self.signing_secret_file = signing_secret_file
        self.attempts = Attempts()

    def server_bind(self) -> None:
        # HTTPServer looks up its own name here, which blocks where there is no name server.
        TCPServer.server_bind(self)

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.warning("request aborted: %s", type(sys.exception()).__name__)


class _Refused(Exception):
    """The request cannot be read; `status` is the response to it."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    server: HttpReceiver
    protocol_version = "HTTP/1.1"
    timeout = READ_SECONDS

    def do_POST(self) -> None:
        self._accept()

    def do_PUT(self) -> None:
        found = self._find_route()
        if found is not None and "PUT" in _METHODS[found[1].service]:
            self._accept()
        else:
            self.do_GET()

    def _accept(self) -> None:
        try:
            body = self._read_body()
        except _Refused as refused:
            self._respond(Reply(refused.status))
        else:
            self._receive(body)

    def do_GET(self) -> None:
        found = self._find_route()
        self._respond(Reply(405 if found and found[1].is_endpoint else 404))

    do_HEAD = do_PATCH = do_DELETE = do_OPTIONS = do_GET  # noqa: N815 - http.server requires these names

    def _find_route(self) -> tuple[Inbox, ReceiverRoute] | None:
        route = find_route(self.path)
        inbox = self.server.inboxes.find(route.key) if route else None
        return (inbox, route) if inbox and route else None

    def _read_body(self) -> bytes:
        announced = self.headers.get("Content-Length")
        if announced is None:
            raise _Refused(411)
        if not re.fullmatch("[0-9]{1,12}", announced):
            raise _Refused(400)
        length = int(announced)
        if length > LARGEST_BODY:
            # Closing with unread bytes would reset the connection before the client reads the response.
            self.rfile.read(min(length, LARGEST_DRAINED))
            raise _Refused(413)
        body = self.rfile.read(length)
        if len(body) < length:
            raise _Refused(400)
        return body

    def _receive(self, body: bytes) -> None:
        found = self._find_route()
        if found is None:
            self._respond(Reply(404))
            return
        inbox, route = found
        if not route.is_endpoint:
            self._respond(reply_to(route.service, Scenario.MISSING, 1))
            return
        scenario = inbox.switches.find(route.place, Scenario) or route.scenario
        reply = self._reply_to(route, scenario, body)
        # Before the wait and the response, so that an accepted message is in the inbox as soon as its sender knows.
        self._keep(inbox, route, scenario, body, reply)
        time.sleep(reply.wait)
        self._respond(reply)

    def _reply_to(self, route: ReceiverRoute, scenario: Scenario, body: bytes) -> Reply:
        service, text = route.service, body.decode(errors="replace")
        incident = parse_incident(service, text, route.closed)
        # An alert is closed by another request than it was opened by, but it is the same message.
        message = (incident.key if incident else "") or self.headers.get("webhook-id") or find_reference(service, text)
        attempt = self.server.attempts.count(f"{service}/{scenario}/{message or hashlib.sha256(body).hexdigest()}")
        if scenario is Scenario.MOVED and _is_for_new_chat(service, text):
            scenario = Scenario.WORKS
        return reply_to(service, scenario, attempt, is_closing=incident is not None and incident.is_closed)

    def _keep(self, inbox: Inbox, route: ReceiverRoute, scenario: Scenario, body: bytes, reply: Reply) -> None:
        text, headers = body.decode(errors="replace"), self._select_headers()
        arrival = Arrival(
            service=route.service,
            scenario=scenario,
            answered=reply.status or 0,
            accepted=reply.accepts,
            reference=find_reference(route.service, text),
            method=self.command,
            headers=headers,
            body=hide_secrets(route.service, text),
            signature_ok=self._check_signature(route.service, headers, body),
            closed=route.closed,
        )
        inbox.add(arrival, datetime.now(UTC))

    def _select_headers(self) -> dict[str, str]:
        """Return the headers to show. The values of those that the sender's owner added are secret."""
        names = [name.lower() for name in self.headers if name.lower() not in _USUAL]
        shown = {name: self.headers[name] for name in names if name == "content-type" or name.startswith("webhook-")}
        return dict.fromkeys(names, "(received, not shown)") | shown

    def _check_signature(self, service: Service, headers: dict[str, str], body: bytes) -> bool | None:
        if service is not Service.WEBHOOK:
            return None
        return check_signature(self.server.signing_secret_file, headers, body)

    def _respond(self, reply: Reply) -> None:
        self.close_connection = True
        if reply.status is None:
            # Ends early if the client closes: that makes the connection readable.
            select.select([self.connection], [], [], SILENT_SECONDS)
            return
        self.send_response(reply.status)
        self.send_header("Connection", "close")
        self.send_header("Content-Type", f"{reply.media_type}; charset=utf-8")
        self.send_header("Content-Length", str(len(reply.body)))
        if reply.retry_after is not None:
            self.send_header("Retry-After", str(reply.retry_after))
        if reply.location is not None:
            self.send_header("Location", reply.location)
        found = self._find_route()
        if reply.status == 405 and found is not None:
            self.send_header("Allow", ", ".join(_METHODS[found[1].service]))
        self.end_headers()
        self.wfile.write(reply.body.encode())

    def version_string(self) -> str:
        return "demo receiver"

    def log_message(self, *args: Any) -> None:
        """Log nothing: the request line contains the sender's secret."""


def _is_for_new_chat(service: Service, body: str) -> bool:
    return service is Service.TELEGRAM and find_text(parse_object(body), "chat_id") == str(NEW_CHAT_ID)
