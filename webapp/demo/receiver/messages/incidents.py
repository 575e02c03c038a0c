"""Parses the alerts of PagerDuty and Jira Service Management, each opened by one request and closed by another.

Sources: "Send an Alert Event" of PagerDuty's Events API v2, and "Integration events" of Atlassian's API.
"""

from dataclasses import dataclass, field
from typing import Any

from webapp.demo.receiver.messages.chats import Piece, split_addresses
from webapp.demo.receiver.messages.json_text import find_dict, find_dicts, find_pairs, find_text, parse_json
from webapp.demo.receiver.scenarios import Service

_ACTIONS = {"trigger": "Triggered", "acknowledge": "Acknowledged", "resolve": "Resolved"}


@dataclass(frozen=True)
class Incident:
    """An alert as it is opened or closed.

    kind: the service. key: the same for everything about one alert, or empty.
    state: in the service's word ("Triggered"). level: its severity or priority.
    links: each with its words. The page decides whether to show one as a link.
    """

    kind: str
    key: str
    state: str
    is_closed: bool = False
    title: str = ""
    level: str = ""
    text: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    links: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """The text, in which addresses are links."""
        return tuple(split_addresses(self.text))


def parse_incident(service: Service, body: str, closed: str | None) -> Incident | None:
    """Parse a request of a service that has alerts. closed: the key of the alert that the request's path closes."""
    if service is Service.PAGERDUTY:
        return _parse_event(parse_json(body))
    if service is Service.JIRA_SERVICE_MANAGEMENT:
        return _parse_alert(parse_json(body), closed)
    return None


def _parse_event(event: Any) -> Incident | None:
    state = _ACTIONS.get(find_text(event, "event_action")) if isinstance(event, dict) else None
    if state is None:
        return None
    payload = find_dict(event, "payload")
    source = find_text(payload, "source")
    return Incident(
        Service.PAGERDUTY,
        find_text(event, "dedup_key"),
        state,
        is_closed=state == "Resolved",
        title=find_text(payload, "summary"),
        level=find_text(payload, "severity"),
        facts=((("Source", source),) if source else ()) + find_pairs(payload, "custom_details"),
        links=tuple((find_text(link, "text"), find_text(link, "href")) for link in find_dicts(event, "links")),
    )


def _parse_alert(alert: Any, closed: str | None) -> Incident | None:
    content = alert if isinstance(alert, dict) else {}
    if closed is not None:
        return Incident(
            Service.JIRA_SERVICE_MANAGEMENT, closed, "Closed", is_closed=True, text=find_text(content, "note")
        )
    title = find_text(content, "message")
    if not title:
        return None
    return Incident(
        Service.JIRA_SERVICE_MANAGEMENT,
        find_text(content, "alias"),
        "Open",
        title=title,
        level=find_text(content, "priority"),
        text=find_text(content, "description"),
        facts=find_pairs(content, "details"),
    )
