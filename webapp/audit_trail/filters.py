"""Parses the filter of the audit trail from URL query parameters. None of them holds a name or an address."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, tzinfo

from webapp.audit import ACTORS, Action, Actor
from webapp.text.cursors import parse_day
from webapp.text.ids import parse_id

# Those who act without an account, by their names in addresses.
ACTORS_BY_KEY = {re.sub("[^a-z]+", "-", actor.name.lower()).strip("-"): actor for actor in ACTORS}
ACTIONS_BY_KEY = {action.name.lower(): action for action in Action}


@dataclass(frozen=True)
class AuditFilter:
    """Criteria for audit events. None means no restriction.

    who: the id of an account, or somebody who acts without one. since, until: days in a zone, inclusive.
    """

    who: int | Actor | None = None
    action: Action | None = None
    since: date | None = None
    until: date | None = None
    zone: tzinfo = UTC

    @property
    def who_key(self) -> str | None:
        """Return `who` as an address names it."""
        if isinstance(self.who, Actor):
            return next(key for key, actor in ACTORS_BY_KEY.items() if actor == self.who)
        return None if self.who is None else str(self.who)

    @property
    def action_key(self) -> str | None:
        """Return the action as an address names it."""
        return self.action.name.lower() if self.action else None

    def as_query(self, **changed: object) -> dict[str, str]:
        """Return the URL query parameters for this filter, with `changed` applied and None left out."""
        parameters = {"who": self.who_key, "action": self.action_key, "since": self.since, "until": self.until}
        return {name: str(value) for name, value in (parameters | changed).items() if value is not None}

    @property
    def has_criteria(self) -> bool:
        """Whether the filter restricts anything."""
        return bool(self.as_query())


def parse_filter(query: Mapping[str, str], zone: tzinfo | None) -> AuditFilter:
    """Parse a filter from URL query parameters. An invalid value counts as unset.

    zone: that of the filter's days; None for UTC.
    """
    who = query.get("who", "")
    return AuditFilter(
        who=ACTORS_BY_KEY.get(who) or parse_id(who),
        action=ACTIONS_BY_KEY.get(query.get("action", "")),
        since=parse_day(query.get("since", "")),
        until=parse_day(query.get("until", "")),
        zone=zone or UTC,
    )
