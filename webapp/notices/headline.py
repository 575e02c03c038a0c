"""What a notice says at a glance: how many destinations have which problem, and which destinations they are."""

from collections.abc import Sequence

from webapp.models import AlertDestination, DestinationProblem, NoticeKind, ProblemKind
from webapp.text.counting import count
from webapp.text.names import quote_apart

# What a notice tells: what about a problem, the problem, and its destination.
Item = tuple[NoticeKind, DestinationProblem, AlertDestination]

# Destinations that are named, and characters of a name, so that the list fits into a message of every channel.
MAX_NAMED = 5
MAX_NAME = 40


def describe_headline(items: Sequence[Item]) -> str:
    """Return how many destinations have which problem, or work again."""
    new, old, well, unconfirmed = _group(items)
    parts = [
        f"{count(len(new), 'destination')} stopped working" if new else "",
        f"{count(len(old), 'destination')} still {'fails' if len(old) == 1 else 'fail'}" if old else "",
        f"{count(len(well), 'destination')} {'works' if len(well) == 1 else 'work'} again" if well else "",
        f"{count(len(unconfirmed), 'destination')} to confirm" if unconfirmed else "",
    ]
    return ", ".join(filter(None, parts))


def name_destinations(items: Sequence[Item]) -> str:
    """Return the names of the first destinations, in the order of the headline, and how many more there are."""
    new, old, well, unconfirmed = _group(items)
    names = {destination.id: quote_apart(destination.name, MAX_NAME) for _, _, destination in items}
    listed = list(dict.fromkeys([*new, *old, *well, *unconfirmed]))
    named = [f"{names[each]}{' (works again)' if each in well else ''}" for each in listed[:MAX_NAMED]]
    more = len(listed) - len(named)
    return f"{', '.join(named)} and {more} more" if more else ", ".join(named)


def is_failure(problem: DestinationProblem) -> bool:
    """Return whether messages fail or are missing. A drill that nobody confirmed is not a failure."""
    return problem.kind is not ProblemKind.UNCONFIRMED


def _group(items: Sequence[Item]) -> tuple[list[int], list[int], list[int], list[int]]:
    """Return the ids of the destinations that newly fail, still fail, work again, and are to be confirmed.

    A destination with several problems is in only one of the first three groups, the worst.
    """
    failures = {
        kind: dict.fromkeys(
            problem.alert_destination_id for known, problem, _ in items if known is kind and is_failure(problem)
        )
        for kind in NoticeKind
    }
    new = list(failures[NoticeKind.OPENED])
    old = [each for each in failures[NoticeKind.REMINDER] if each not in new]
    well = [each for each in failures[NoticeKind.RECOVERED] if each not in (*new, *old)]
    return (
        new,
        old,
        well,
        list(dict.fromkeys(problem.alert_destination_id for _, problem, _ in items if not is_failure(problem))),
    )
