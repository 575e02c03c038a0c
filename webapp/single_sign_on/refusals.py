"""Why a sign-in with a provider's account is refused: a closed list, each with what happened and what to do."""

from dataclasses import dataclass
from enum import StrEnum


class Refusal(StrEnum):
    """Why nobody was signed in. The values are for the log."""

    UNREACHABLE = "unreachable"
    TOO_SLOW = "too_slow"
    BUSY = "busy"
    UNUSABLE_RESPONSE = "unusable_response"
    OTHER_ISSUER = "other_issuer"
    CLIENT_REFUSED = "client_refused"
    CODE_REFUSED = "code_refused"
    DENIED = "denied"
    NOT_STARTED_HERE = "not_started_here"
    SIGNATURE = "signature"
    ALGORITHM = "algorithm"
    AUDIENCE = "audience"
    NONCE = "nonce"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    INCOMPLETE = "incomplete"
    TOO_MANY_GROUPS = "too_many_groups"
    NO_EMAIL = "no_email"
    NO_ACCESS = "no_access"
    OTHER_INVITATION = "other_invitation"
    EMAIL_NOT_CONFIRMED_THERE = "email_not_confirmed_there"
    EMAIL_NOT_CONFIRMED_HERE = "email_not_confirmed_here"
    OTHER_PERSON = "other_person"
    ACCOUNT_DISABLED = "account_disabled"


class SignOnRefused(Exception):
    """Nobody was signed in. Its text is the reason alone, without an address or a token."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal


@dataclass(frozen=True)
class Explanation:
    """What a page says. advice: with passwords; advice_without: where nobody may sign in by password."""

    status: int
    sentence: str
    advice: str
    advice_without: str | None = None


_TELL = "Tell your Alertcheck administrator."
_WAIT = ("Try again in a minute, or sign in with your password.", "Try again in a minute.")
_AGAIN = "Start again with the button below."
_CONFIRM = "Sign in with your password, open “Your account”, choose “Confirm this address”, and then sign in this way."
_CONFIRM_LATER = "Ask your Alertcheck administrator: passwords have to be on until you have confirmed the address."

_EXPLANATIONS = {
    Refusal.UNREACHABLE: Explanation(503, "The sign-in provider cannot be reached.", *_WAIT),
    Refusal.TOO_SLOW: Explanation(503, "The sign-in provider did not respond in time.", *_WAIT),
    Refusal.BUSY: Explanation(503, "Many people are signing in at the moment.", *_WAIT),
    Refusal.UNUSABLE_RESPONSE: Explanation(
        503, "The sign-in provider sent a response that Alertcheck cannot use.", f"Try again in a minute, or: {_TELL}"
    ),
    Refusal.OTHER_ISSUER: Explanation(400, "The response came from another provider than the one set up.", _TELL),
    Refusal.CLIENT_REFUSED: Explanation(503, "The sign-in provider does not accept Alertcheck's client secret.", _TELL),
    Refusal.CODE_REFUSED: Explanation(
        400, "The sign-in provider says that this sign-in is used up, too old, or of another browser.", _AGAIN
    ),
    Refusal.DENIED: Explanation(
        403, "The sign-in provider did not sign you in: it was canceled, or you may not use Alertcheck.", _AGAIN
    ),
    Refusal.NOT_STARTED_HERE: Explanation(
        400,
        "This sign-in was not started in this browser, was used before, or is more than 30 minutes old.",
        _AGAIN,
    ),
    Refusal.SIGNATURE: Explanation(
        400, "The response is not signed with a key of the sign-in provider. Nobody was signed in.", _TELL
    ),
    Refusal.ALGORITHM: Explanation(
        400, "The response is signed in a way that Alertcheck does not accept. Nobody was signed in.", _TELL
    ),
    Refusal.AUDIENCE: Explanation(400, "The response was meant for another program. Nobody was signed in.", _TELL),
    Refusal.NONCE: Explanation(400, "The response belongs to another sign-in. Nobody was signed in.", _AGAIN),
    Refusal.EXPIRED: Explanation(
        400,
        "The response of the sign-in provider has expired.",
        f"{_AGAIN} If it keeps happening, the clocks differ: tell your Alertcheck administrator.",
    ),
    Refusal.NOT_YET_VALID: Explanation(
        400, "The response of the sign-in provider is not valid yet, so its clock and ours differ.", _TELL
    ),
    Refusal.INCOMPLETE: Explanation(400, "The response of the sign-in provider is incomplete.", _TELL),
    Refusal.TOO_MANY_GROUPS: Explanation(
        403, "You are in more groups than the sign-in provider names, so your roles are not known.", _TELL
    ),
    Refusal.NO_EMAIL: Explanation(403, "The sign-in provider does not name your email address.", _TELL),
    Refusal.NO_ACCESS: Explanation(
        403, "You do not have access to Alertcheck yet.", "Ask an admin of your workspace to invite you."
    ),
    Refusal.OTHER_INVITATION: Explanation(
        403,
        "The invitation is for another address than that of your account at the sign-in provider.",
        "Ask the person who invited you for an invitation for that one.",
    ),
    Refusal.EMAIL_NOT_CONFIRMED_THERE: Explanation(
        403,
        "The sign-in provider does not say that your email address is yours, so Alertcheck cannot know your account.",
        f"Confirm the address there, or sign in with your password. {_TELL}",
        f"Confirm the address there. {_TELL}",
    ),
    Refusal.EMAIL_NOT_CONFIRMED_HERE: Explanation(
        403,
        "There is an account with your email address, but Alertcheck has not confirmed that the address is yours.",
        _CONFIRM,
        _CONFIRM_LATER,
    ),
    Refusal.OTHER_PERSON: Explanation(
        403, "The account with your email address belongs to somebody else at the sign-in provider.", _TELL
    ),
    Refusal.ACCOUNT_DISABLED: Explanation(403, "Your account in Alertcheck is disabled.", _TELL),
}


def explain(refusal: Refusal, *, are_passwords_allowed: bool) -> tuple[str, int]:
    """Return the sentences for a page, and its status."""
    found = _EXPLANATIONS[refusal]
    without = found.advice if found.advice_without is None else found.advice_without
    return f"{found.sentence} {found.advice if are_passwords_allowed else without}", found.status
