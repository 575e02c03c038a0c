"""The sentences that ask a person whether the message arrived, and their removal once somebody knows."""

# How the next step of every code begins whose message may have arrived.
CHECK_BEFORE_TEST = "Check whether the message arrived before you send another test."
# How the warning beside an accepted message ends.
CHECK_ACCEPTED = "Check that the message arrived."

_IF_MISSING = "If it did not, "


def drop_arrival_check(text: str, has_arrived: bool) -> str:
    """Return a next step or a warning without the request to check; empty if nothing else is left to do."""
    for request in (CHECK_BEFORE_TEST, CHECK_ACCEPTED):
        before, found, after = text.partition(request)
        if found:
            text = f"{before}{_begin_sentence(after.strip(), has_arrived)}".strip()
    return text


def _begin_sentence(rest: str, has_arrived: bool) -> str:
    if has_arrived and rest.startswith(_IF_MISSING):
        return ""
    rest = rest.removeprefix(_IF_MISSING).removeprefix("Then ")
    return rest[:1].upper() + rest[1:]
