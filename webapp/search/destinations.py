"""Finds destinations by name, by the last test's failure code, and by the keyed hashes of hosts and recipients.

Each kind is one query, however many destinations there are.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlalchemy import String, bindparam, false, func, select, type_coerce

from webapp.deliveries.newest_deliveries import newest_test_id_subquery
from webapp.destinations.search_terms import SearchTerm, TermKind
from webapp.encryption.search_hashes import SearchHashes
from webapp.extensions import db
from webapp.failures import Code
from webapp.models import AlertDelivery, AlertDestination, Role, SearchKey, Workspace
from webapp.text.names import clean_name

# Destinations of one kind that are found. A page shows fewer.
MAX_FOUND = 1000

# Hashes per query: SQLite takes 32,766 parameters.
MAX_HASHES = 10_000


def find_by_name(words: Sequence[str], workspaces: Mapping[int, Workspace]) -> list[int]:
    """Return the destinations whose own name and workspace's name contain each word, the own name at least one.

    Ordered by the workspace's name and the own name.
    """
    if not words:
        return []
    around = {workspace_id: workspace.name.casefold() for workspace_id, workspace in workspaces.items()}
    found: list[tuple[str, str, int]] = []
    for destination_id, workspace_id, stored in db.session.execute(_NAMES, {"workspace_ids": list(workspaces)}):
        name = stored.casefold()
        if any(word in name for word in words) and all(word in name or word in around[workspace_id] for word in words):
            found.append((around[workspace_id], clean_name(stored).casefold(), destination_id))
    return [destination_id for *_, destination_id in sorted(found)][:MAX_FOUND]


def find_by_code(code: Code, workspace_ids: Sequence[int]) -> list[int]:
    """Return the destinations whose last test ended with a code."""
    key = {"workspace_ids": workspace_ids, "code": code.value}
    return list(db.session.scalars(_FAILED_WITH, key))


def find_by_terms(
    terms: Iterable[SearchTerm], roles: Mapping[int, Role], hashes: SearchHashes
) -> dict[int, SearchTerm]:
    """Return the destinations with one of these terms, each with the term, in the workspaces of these roles."""
    wanted = dict(_hash_all(terms, roles, hashes))
    keys = list(wanted)
    found: dict[int, SearchTerm] = {}
    for start in range(0, len(keys), MAX_HASHES):
        rows = db.session.execute(_WITH_HASH, {"hashes": keys[start : start + MAX_HASHES]})
        found |= {destination_id: wanted[value] for value, destination_id in rows}
    return found


def may_search(role: Role, kind: TermKind) -> bool:
    """Check whether a role may search for a kind of term. Viewers see a recipient's domain, but no recipient."""
    return role.may_test or kind is not TermKind.RECIPIENT


def _hash_all(
    terms: Iterable[SearchTerm], roles: Mapping[int, Role], hashes: SearchHashes
) -> Iterator[tuple[str, SearchTerm]]:
    for term in sorted(terms, key=lambda term: term.kind):
        for workspace_id, role in roles.items():
            if may_search(role, term.kind):
                for value in hashes.make_all(term.kind, workspace_id, term.value):
                    yield value, term


# Built once. Names are read as they are stored: only those that match are cleaned.
_IN_WORKSPACES = AlertDestination.workspace_id.in_(bindparam("workspace_ids", expanding=True))
_NAMES = select(AlertDestination.id, AlertDestination.workspace_id, type_coerce(AlertDestination.name, String)).where(
    _IN_WORKSPACES, AlertDestination.deleted_at.is_(None)
)
_FAILED_WITH = (
    select(AlertDestination.id)
    .join(AlertDelivery, AlertDelivery.id == newest_test_id_subquery())
    .where(
        _IN_WORKSPACES,
        AlertDestination.deleted_at.is_(None),
        # Wrapped, so that no planner starts from every delivery with the code.
        func.coalesce(AlertDelivery.last_error_code == bindparam("code"), false()),
    )
    .order_by(AlertDestination.workspace_id, AlertDestination.id)
    .limit(MAX_FOUND)
)
_WITH_HASH = (
    select(SearchKey.hash, SearchKey.destination_id)
    .where(SearchKey.hash.in_(bindparam("hashes", expanding=True)))
    .limit(MAX_FOUND)
)
