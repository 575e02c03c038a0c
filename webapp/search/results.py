"""Runs a search over all workspaces of an account."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from webapp.app_state import current_settings
from webapp.deliveries.badge import Outcome, describe_outcome
from webapp.deliveries.newest_deliveries import list_with_newest_test
from webapp.destinations.search_index import Unsearchable, count_unsearchable
from webapp.destinations.search_terms import TermKind
from webapp.models import AlertDelivery, AlertDestination, Member, Workspace
from webapp.search.destinations import MAX_FOUND, find_by_code, find_by_name, find_by_terms, may_search
from webapp.search.query import SearchQuery
from webapp.search.references import find_tests

# Results of each kind on the page.
MAX_SHOWN = 50

_WHY = {TermKind.HOST: "host {}", TermKind.DOMAIN: "recipients at {}", TermKind.RECIPIENT: "this recipient"}

NOTHING = "Nothing was found in your workspaces."


@dataclass(frozen=True)
class FoundTest:
    """A test send with the reference."""

    workspace: Workspace
    delivery: AlertDelivery
    outcome: Outcome


@dataclass(frozen=True)
class FoundDestination:
    """A destination. why: what matched other than its name, such as its host; None if only the name did."""

    workspace: Workspace
    destination: AlertDestination
    newest: AlertDelivery | None
    outcome: Outcome
    why: str | None


@dataclass(frozen=True)
class SearchResults:
    """What was found.

    total: the destinations found, of which the first are shown.
    needs_role: an email address was searched for, and in some workspaces the account may not search for recipients.
    """

    tests: Sequence[FoundTest] = ()
    workspaces: Sequence[Workspace] = ()
    destinations: Sequence[FoundDestination] = ()
    total: int = 0
    needs_role: bool = False
    unsearchable: Unsearchable = field(default_factory=lambda: Unsearchable(0, 0))

    @property
    def only_test(self) -> FoundTest | None:
        """The one test send, if nothing else was found."""
        return self.tests[0] if len(self.tests) == 1 and not self.workspaces and not self.destinations else None

    @property
    def summary(self) -> str:
        """Return how many of each kind were found, in one sentence."""
        counts = (
            (len(self.tests), "test", ""),
            (len(self.workspaces), "workspace", ""),
            (self.total, "destination", " or more" if self.total >= MAX_FOUND else ""),
        )
        parts = [f"{count}{more} {noun}{'s' * (count != 1)}" for count, noun, more in counts if count]
        return f"Found {' and '.join(filter(None, [', '.join(parts[:-1]), *parts[-1:]]))}." if parts else NOTHING

    @property
    def is_empty(self) -> bool:
        return not (self.tests or self.workspaces or self.destinations)


def search(query: SearchQuery, memberships: Sequence[Member]) -> SearchResults:
    """Search in the workspaces of these memberships. Executes a fixed number of queries."""
    if query.is_empty or not memberships:
        return SearchResults()
    workspaces = {member.workspace_id: member.workspace for member in memberships}
    cipher = current_settings().cipher
    why = _find_reasons(query, memberships)
    ids = list(dict.fromkeys([*sorted(why), *find_by_name(query.words, workspaces)]))
    return SearchResults(
        tests=_find_tests(query, workspaces),
        workspaces=_find_workspaces(query, memberships)[:MAX_SHOWN],
        destinations=[
            FoundDestination(
                workspaces[destination.workspace_id],
                destination,
                newest,
                describe_outcome(newest, destination.type),
                why.get(destination.id),
            )
            for destination, newest in list_with_newest_test(ids[:MAX_SHOWN])
        ],
        total=len(ids),
        needs_role=_needs_role(query, memberships),
        unsearchable=count_unsearchable(cipher, list(workspaces)) if query.terms else Unsearchable(0, 0),
    )


def _find_reasons(query: SearchQuery, memberships: Sequence[Member]) -> dict[int, str]:
    """Return the destinations that were found by something else than their name, and by what."""
    roles = {member.workspace_id: member.role for member in memberships}
    by_term = find_by_terms(query.terms, roles, current_settings().cipher.search)
    reasons = {destination_id: _WHY[term.kind].format(term.value) for destination_id, term in by_term.items()}
    if query.code is None:
        return reasons
    return dict.fromkeys(find_by_code(query.code, list(roles)), query.code.value) | reasons


def _find_tests(query: SearchQuery, workspaces: dict[int, Workspace]) -> list[FoundTest]:
    if not query.references:
        return []
    return [
        FoundTest(workspaces[test.workspace_id], test, describe_outcome(test, test.destination.type))
        for test in find_tests(query.references, list(workspaces))
    ]


def _find_workspaces(query: SearchQuery, memberships: Sequence[Member]) -> list[Workspace]:
    if not query.words:
        return []
    workspaces = (member.workspace for member in memberships)
    return [workspace for workspace in workspaces if _contains(workspace, query.words)]


def _contains(workspace: Workspace, words: Sequence[str]) -> bool:
    names = f"{workspace.name} {workspace.slug}".casefold()
    return all(word in names for word in words)


def _needs_role(query: SearchQuery, memberships: Sequence[Member]) -> bool:
    is_for_recipient = any(term.kind is TermKind.RECIPIENT for term in query.terms)
    return is_for_recipient and not all(may_search(member.role, TermKind.RECIPIENT) for member in memberships)
