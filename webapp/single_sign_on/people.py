"""Reads who somebody is from the provider's claims: their name, their address, and their groups."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from webapp.auth.email_address import InvalidEmail, read_new_email
from webapp.single_sign_on.refusals import Refusal, SignOnRefused
from webapp.text.names import MAX_NAME_LENGTH, clean_name

# Beyond these, groups are not read.
MAX_GROUPS = 5000

# Where Entra ID says that a claim became too long for the token ("overage").
_LEFT_OUT = ("_claim_names", "hasgroups")


@dataclass(frozen=True)
class Person:
    """Somebody whom the provider has signed in.

    email: in canonical form; None if the provider names none that an account can have.
    is_email_verified: whether the provider says that the address is theirs.
    """

    issuer: str
    subject: str
    name: str | None
    email: str | None
    is_email_verified: bool
    groups: frozenset[str]


def is_complete(claims: Mapping[str, Any], groups_claim: str | None) -> bool:
    """Return whether the claims tell all that is needed. groups_claim: None if groups mean nothing here."""
    needed = ("email", "email_verified", "name")
    return all(name in claims for name in needed) and (groups_claim is None or _find(claims, groups_claim) is not None)


def read_person(claims: Mapping[str, Any], groups_claim: str) -> Person:
    """Read the claims of a checked token. Raises `SignOnRefused` with too_many_groups."""
    email = _read_email(claims.get("email"))
    return Person(
        issuer=str(claims["iss"]),
        subject=str(claims["sub"]),
        name=_read_name(claims),
        email=email,
        is_email_verified=email is not None and _is_true(claims.get("email_verified")),
        groups=_read_groups(claims, groups_claim),
    )


def _is_true(claim: object) -> bool:
    """Return whether a claim is true, or the text "true", which some providers send instead. A number is neither."""
    return claim is True or claim == "true"


def _read_email(text: object) -> str | None:
    """Return the canonical address; None if the text is none, or if only its canonical form is ASCII.

    Otherwise, the Kelvin sign, whose lower case is k, would lead to another person's address.
    """
    if not isinstance(text, str):
        return None
    try:
        email = read_new_email(text)
    except InvalidEmail:
        return None
    return None if email.isascii() and not text.isascii() else email


def _read_name(claims: Mapping[str, Any]) -> str | None:
    texts = (claims.get(name) for name in ("name", "preferred_username"))
    names = (clean_name(text[:MAX_NAME_LENGTH]) for text in texts if isinstance(text, str))
    return next(filter(None, names), None)


def _read_groups(claims: Mapping[str, Any], name: str) -> frozenset[str]:
    """Return the groups. No claim means no groups, unless the provider says that it left them out."""
    found = _find(claims, name)
    left_out = claims.get(_LEFT_OUT[0])
    if found is None and ((isinstance(left_out, dict) and name in left_out) or claims.get(_LEFT_OUT[1])):
        raise SignOnRefused(Refusal.TOO_MANY_GROUPS)
    values = found if isinstance(found, list) else [found]
    if len(values) > MAX_GROUPS:
        raise SignOnRefused(Refusal.TOO_MANY_GROUPS)
    return frozenset(value for value in values if isinstance(value, str))


def _find(claims: Mapping[str, Any], name: str) -> Any:
    """Return a claim by its name, or by the path to it, such as `realm_access.roles`; None if there is none."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found
