"""What the provider's claims say about somebody."""

from typing import Any

import pytest

from webapp.single_sign_on.people import MAX_GROUPS, Person, is_complete, read_person
from webapp.single_sign_on.refusals import Refusal, SignOnRefused

CLAIMS = {
    "iss": "https://login.example.com",
    "sub": "s-1",
    "name": "Ada Harbor",
    "email": "ada@example.com",
    "email_verified": True,
}


def read(groups_claim: str = "groups", **claims: Any) -> Person:
    return read_person(CLAIMS | claims, groups_claim)


@pytest.mark.parametrize("verified", [True, "true"])
def test_an_address_counts_as_confirmed_if_the_provider_says_so(verified: object) -> None:
    assert read(email_verified=verified).is_email_verified


@pytest.mark.parametrize("verified", [False, "false", "", "yes", 1, 2, None, [True], {}])
def test_nothing_else_confirms_an_address(verified: object) -> None:
    assert not read(email_verified=verified).is_email_verified


def test_an_address_is_read_in_its_canonical_form() -> None:
    assert read(email=" Ada@Example.COM ").email == "ada@example.com"


@pytest.mark.parametrize(
    "email", [None, 7, "", "ada", "a b@example.com", "ada@ex\u200bample.com", "x" * 255 + "@a.b", []]
)
def test_an_address_that_no_account_can_have_is_none(email: object) -> None:
    somebody = read(email=email)

    assert (somebody.email, somebody.is_email_verified) == (None, False)


def test_another_letter_does_not_become_that_of_somebody_else() -> None:
    assert read(email="\u212aate@example.com").email is None  # the sign for Kelvin, whose lower case is k


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"name": " Ada\n Harbor\u202e"}, "Ada Harbor"),
        ({"name": "\u200b", "preferred_username": "ada"}, "ada"),
        ({"name": 7}, None),
        ({"name": "x" * 500}, "x" * 200),
    ],
)
def test_a_name_is_one_line_of_visible_characters(claims: dict[str, Any], name: str | None) -> None:
    assert read(**claims).name == name


@pytest.mark.parametrize(
    ("claim", "claims", "groups"),
    [
        ("groups", {"groups": ["ops", "desk"]}, {"ops", "desk"}),
        ("groups", {"groups": "ops"}, {"ops"}),
        ("groups", {"groups": ["ops", 7, None, {"a": 1}]}, {"ops"}),
        ("groups", {}, set()),
        ("groups", {"groups": None}, set()),
        ("groups", {"groups": {"ops": True}}, set()),
        ("realm_access.roles", {"realm_access": {"roles": ["ops"]}}, {"ops"}),
        ("realm_access.roles", {"realm_access": ["roles"]}, set()),
        ("https://example.com/groups", {"https://example.com/groups": ["ops"]}, {"ops"}),
    ],
)
def test_groups_are_read_by_the_name_of_their_claim(claim: str, claims: dict[str, Any], groups: set[str]) -> None:
    assert read(claim, **claims).groups == groups


@pytest.mark.parametrize(
    "claims",
    [
        {"_claim_names": {"groups": "src1"}},
        {"hasgroups": True},
        {"groups": [str(number) for number in range(MAX_GROUPS + 1)]},
    ],
    ids=["elsewhere", "has groups", "very many"],
)
def test_groups_that_are_left_out_are_not_taken_for_none(claims: dict[str, Any]) -> None:
    with pytest.raises(SignOnRefused) as refused:
        read(**claims)

    assert refused.value.refusal is Refusal.TOO_MANY_GROUPS


@pytest.mark.parametrize("missing", ["email", "email_verified", "name", "groups"])
def test_the_provider_is_asked_for_what_the_token_does_not_say(missing: str) -> None:
    claims = CLAIMS | {"groups": []}
    del claims[missing]

    assert not is_complete(claims, "groups")
    assert is_complete(claims, None) is (missing == "groups")
