"""The addresses of the receiver: `/<service>/<scenario>`, and what follows it at the service itself.

In a public demo, the key of a visitor's inbox comes first: `/<key>/<service>/<scenario>`.
"""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote

from webapp.demo.receiver.scenarios import Scenario, Service
from webapp.demo.receiver.switches import name_path

# The characters of an address's mark in the path of a server: enough to tell those of one demo apart.
_SERVER_MARK = 8


@dataclass(frozen=True)
class _Shape:
    """What follows the scenario.

    ending: of a new address; `{}` is the mark that makes it a place of its own.
    address: the pattern of what an address may have there; nothing if it was shortened to the scenario.
    call: the pattern of what a channel appends to the address of a server.
    """

    ending: str = "?sig={}"
    address: str = ""
    call: str = ""


def _server(call: str) -> _Shape:
    return _Shape(f"/~{{:.{_SERVER_MARK}}}", r"/~[\w-]+", call)


_SHAPES = {
    Service.TEAMS: _Shape(),
    Service.WEBHOOK: _Shape(),
    Service.SLACK: _Shape(),
    Service.DISCORD: _Shape("/api/webhooks/1440000000000000001/{}", r"/api/webhooks/[0-9]+/[\w-]+"),
    Service.GOOGLE_CHAT: _Shape("/v1/spaces/demo/messages?key=demo&token={}", r"/v1/spaces/[\w-]+/messages"),
    Service.MATTERMOST: _Shape("/hooks/{}", r"/hooks/[\w-]+"),
    Service.TELEGRAM: _server("/bot[^/]+/sendMessage"),
    Service.PAGERDUTY: _server("/v2/enqueue"),
    Service.NTFY: _server("/?"),
    Service.PUSHOVER: _server("/1/messages[.]json"),
    Service.JIRA_SERVICE_MANAGEMENT: _server("/jsm/ops/integration/v2/alerts(?:/(?P<closed>[^/]+)/close)?"),
}
_START = re.compile(
    rf"(?:/(?P<key>[^/]*))??/(?P<service>{'|'.join(_SHAPES)})/(?P<scenario>{'|'.join(Scenario)})(?P<rest>/.*)?",
    re.DOTALL,
)


@dataclass(frozen=True)
class ReceiverRoute:
    """Where a path leads.

    key: whatever stands where the key of an inbox stands in a public demo; None if nothing does.
    place: the name of the address for the switches.
    call: what follows the address; empty for an address as a destination has it.
    is_endpoint: whether the service receives messages there.
    closed: the key of the alert that a request there closes, or None.
    """

    key: str | None = field(repr=False)
    service: Service
    scenario: Scenario
    place: str
    call: str = field(repr=False)
    is_endpoint: bool
    closed: str | None = None


def find_route(path: str) -> ReceiverRoute | None:
    """Return where a path leads, given with its query as it is sent; None if no service is there."""
    bare, mark, query = path.partition("?")
    start = _START.fullmatch(bare)
    if start is None:
        return None
    service, rest = Service(start["service"]), start["rest"] or ""
    shape = _SHAPES[service]
    own = re.match(f"(?:{shape.address})?", rest, re.ASCII)
    call = rest[own.end() :] if own else rest
    found = re.fullmatch(shape.call, call)
    closed = found.groupdict().get("closed") if found else None
    return ReceiverRoute(
        start["key"],
        service,
        Scenario(start["scenario"]),
        name_path(bare.removesuffix(call) + mark + query),
        call,
        found is not None,
        unquote(closed) if closed else None,
    )


def compose_ending(service: Service, mark: str) -> str:
    """Return what follows the scenario in a new address. mark: a random text."""
    return _SHAPES[service].ending.format(mark)
