"""The sentences that ask a person whether the message arrived, and their removal once somebody knows."""

import re

# How the general next step of every code begins whose message may have arrived. A channel's own step names the place:
# "Check in Slack whether the message arrived ...".
CHECK_BEFORE_TEST = "Check whether the message arrived before you send another test."
# How the warning beside an accepted message ends.
CHECK_ACCEPTED = "Check that the message arrived."

_REQUEST = re.compile(r"Check [^.,;]*?(?:whether|that) the message arrived[^.,;]*[.]")
_IF_MISSING = "If it did not, "


def drop_arrival_check(text: str, has_arrived: bool) -> str:
    """Return a next step or a warning without the request to check; empty if nothing else is left to do."""
    request = _REQUEST.search(text)
    if request is None:
        return text
    rest = _begin_sentence(text[request.end() :].strip(), has_arrived)
    return f"{text[: request.start()]}{rest}".strip()


def _begin_sentence(rest: str, has_arrived: bool) -> str:
    if has_arrived and rest.startswith(_IF_MISSING):
        return ""
    rest = rest.removeprefix(_IF_MISSING).removeprefix("Then ")
    return rest[:1].upper() + rest[1:]
