"""The glance over workspaces: in what state their destinations are, and which of them a visitor wants to see."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import bindparam, select

from webapp.deliveries.outcome import find_newest_ids, to_badge
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, DeliveryStatus

ON_A_PAGE = 50


class State(StrEnum):
    """What a destination is listed under, the most urgent first: its badge, or that it is disabled."""

    FAILED = "failed"
    PENDING = "pending"
    NEVER = "never"
    SENT = "sent"
    DISABLED = "disabled"


class Order(StrEnum):
    """How a list is sorted."""

    URGENT = "urgent"
    NAME = "name"
    CHANNEL = "channel"


class Glance(NamedTuple):
    """A destination, as far as a list is chosen from."""

    destination_id: int
    workspace_id: int
    name: str
    channel: str
    state: State


@dataclass(frozen=True)
class Choice:
    """What the visitor wants to see. None, and an empty text: everything. page: from 1."""

    state: State | None = None
    channel: str | None = None
    text: str = ""
    order: Order = Order.URGENT
    page: int = 1

    def as_query(self, **changed: object) -> dict[str, object]:
        """Return the query of the page's address that chooses this, without what needs no saying."""
        chosen = {"state": self.state, "channel": self.channel, "q": self.text, "order": self.order, "page": self.page}
        usual = {"order": Order.URGENT, "page": 1}
        return {name: value for name, value in (chosen | changed).items() if value and value != usual.get(name)}


@dataclass(frozen=True)
class Chosen:
    """A page of what was chosen. total: on all pages."""

    ids: list[int]
    total: int
    page: int
    pages: int


def read_choice(query: Mapping[str, str]) -> Choice:
    """Read a choice from the page's address; a word that means nothing chooses nothing."""
    state, order, page = query.get("state", ""), query.get("order", ""), query.get("page", "")
    return Choice(
        state=State(state) if state in list(State) else None,
        channel=query.get("channel") or None,
        text=query.get("q", "").strip()[:100],
        order=Order(order) if order in list(Order) else Order.URGENT,
        page=max(1, int(page)) if page.isascii() and page.isdecimal() and len(page) < 6 else 1,
    )


def list_glances(workspace_ids: Sequence[int]) -> list[Glance]:
    """Fetch all destinations of these workspaces: one query, whose cost does not depend on the deliveries there are."""
    rows = db.session.execute(_GLANCES, {"workspace_ids": workspace_ids})
    return [
        Glance(row_id, workspace_id, name, channel, _to_state(is_enabled, newest))
        for row_id, workspace_id, name, channel, is_enabled, newest in rows
    ]


def choose(glances: Sequence[Glance], choice: Choice) -> Chosen:
    """Filter, sort and cut a page out."""
    found = sorted(filter(lambda glance: _matches(glance, choice), glances), key=lambda glance: _rank(glance, choice))
    pages = max(1, -(-len(found) // ON_A_PAGE))
    page = min(choice.page, pages)
    on_page = found[(page - 1) * ON_A_PAGE : page * ON_A_PAGE]
    return Chosen([glance.destination_id for glance in on_page], len(found), page, pages)


def count_states(glances: Sequence[Glance]) -> dict[State, int]:
    """Count the destinations in each state."""
    counts = Counter(glance.state for glance in glances)
    return {state: counts[state] for state in State}


def tell_state(counts: Mapping[State, int]) -> str:
    """Say in one sentence whether all is well."""
    in_use = sum(counts.values()) - counts[State.DISABLED]
    parts = [
        _all_or_some(counts[State.SENT], in_use),
        _told(counts[State.FAILED], "failed", "failed"),
        _told(counts[State.PENDING], "is under way", "are under way"),
        _told(counts[State.NEVER], "was never tested", "were never tested"),
    ]
    disabled = _told(counts[State.DISABLED], "is disabled", "are disabled")
    return "; ".join(filter(None, parts)) + "." + (f" {disabled}." if disabled else "")


# Put together once, since every list asks for it.
_GLANCES = (
    select(
        AlertDestination.id,
        AlertDestination.workspace_id,
        AlertDestination.name,
        AlertDestination.type,
        AlertDestination.is_enabled,
        AlertDelivery.status,
    )
    .outerjoin(AlertDelivery, AlertDelivery.id == find_newest_ids())
    .where(
        AlertDestination.workspace_id.in_(bindparam("workspace_ids", expanding=True)),
        AlertDestination.deleted_at.is_(None),
    )
)


_STATES = {status: State(to_badge(status)) for status in (None, *DeliveryStatus)}
_URGENCY = {state: number for number, state in enumerate(State)}


def _to_state(is_enabled: bool, newest: DeliveryStatus | None) -> State:
    return _STATES[newest] if is_enabled else State.DISABLED


def _matches(glance: Glance, choice: Choice) -> bool:
    return (
        choice.state in (None, glance.state)
        and choice.channel in (None, glance.channel)
        and (not choice.text or choice.text.casefold() in glance.name.casefold())
    )


def _rank(glance: Glance, choice: Choice) -> tuple[object, ...]:
    by_name = (glance.name.casefold(), glance.destination_id)
    match choice.order:
        case Order.URGENT:
            return (_URGENCY[glance.state], *by_name)
        case Order.CHANNEL:
            return (glance.channel, *by_name)
        case Order.NAME:
            return by_name


def _all_or_some(sent: int, in_use: int) -> str:
    if not in_use:
        return "No destination is in use"
    accepted = "accepted its last test" if in_use == 1 else "accepted their last test"
    if sent == in_use:
        return f"The destination {accepted}" if in_use == 1 else f"All {in_use} destinations {accepted}"
    return f"{sent} of {in_use} destination{'s' * (in_use != 1)} {accepted}"


def _told(count: int, of_one: str, of_many: str) -> str:
    return f"{count} {of_one if count == 1 else of_many}" if count else ""
