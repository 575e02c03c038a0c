"""The settings of the single sign-on: what is read, and the sentence for everything that is wrong."""

from dataclasses import fields

import pytest

from tests.settings.test_reading import DEMO, NEEDED
from webapp.environment.settings_reader import Misconfigured
from webapp.models import Role
from webapp.settings import read_settings
from webapp.settings.single_sign_on import ROLES, GroupRole, SingleSignOn

PROVIDER = {
    "OIDC_ISSUER": "https://login.example.com/realms/company",
    "OIDC_CLIENT_ID": "alertcheck",
    "OIDC_CLIENT_SECRET": "canary-secret",
    "ALERTCHECK_PUBLIC_URL": "https://alertcheck.example.com",
}


def read(**settings: str) -> SingleSignOn:
    found = read_settings(NEEDED | PROVIDER | settings).single_sign_on
    assert found is not None
    return found


def problem_of(**settings: str) -> str:
    with pytest.raises(Misconfigured) as misconfigured:
        read_settings(NEEDED | settings)
    return str(misconfigured.value)


def test_without_an_issuer_there_is_none() -> None:
    app_settings = read_settings(NEEDED)

    assert (app_settings.single_sign_on, app_settings.are_passwords_allowed) == (None, True)


def test_four_settings_are_enough() -> None:
    found = read()

    assert found.discovery_url == "https://login.example.com/realms/company/.well-known/openid-configuration"
    assert found.redirect_uri == "https://alertcheck.example.com/sign-in/callback"
    assert (found.name, found.groups_claim, found.group_roles) == ("your company account", "groups", ())


def test_the_issuer_stays_exactly_as_it_is() -> None:
    found = read(OIDC_ISSUER="https://Login.example.com/")

    assert found.issuer == "https://Login.example.com/"
    assert found.discovery_url == "https://Login.example.com/.well-known/openid-configuration"


def test_only_turns_passwords_off() -> None:
    assert not read_settings(NEEDED | PROVIDER | {"OIDC_ONLY": "1"}).are_passwords_allowed


def test_a_public_demo_has_none() -> None:
    public = PROVIDER | DEMO | {"DEMO_URL": "https://demo.example.com", "OIDC_ONLY": "1"}

    assert read_settings(NEEDED | public).single_sign_on is None


def test_the_secret_is_in_no_representation() -> None:
    app_settings = read_settings(NEEDED | PROVIDER)

    assert "canary" not in repr(app_settings) + repr(app_settings.single_sign_on)
    assert "client_secret" in {field.name for field in fields(SingleSignOn)}


@pytest.mark.parametrize("missing", ["OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "ALERTCHECK_PUBLIC_URL"])
def test_what_an_issuer_needs_is_named(missing: str) -> None:
    settings = {name: text for name, text in PROVIDER.items() if name != missing}

    assert problem_of(**settings) == f"{missing} is not set, and OIDC_ISSUER needs it."


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("OIDC_CLIENT_ID", "alertcheck"),
        ("OIDC_CLIENT_SECRET", "canary"),
        ("OIDC_NAME", "Harbor account"),
        ("OIDC_GROUPS_CLAIM", "roles"),
        ("OIDC_ROLES", "ops:harbor=admin"),
        ("OIDC_ONLY", "1"),
    ],
)
def test_a_setting_without_an_issuer_is_refused(variable: str, text: str) -> None:
    assert problem_of(**{variable: text}) == f"{variable} has no effect without OIDC_ISSUER, which is not set."


@pytest.mark.parametrize(
    ("issuer", "words"),
    [
        ("http://login.example.com", "has to begin with https://"),
        ("http://10.0.0.1", "has to begin with https://"),
        ("http://127.0.0.1.example.com", "has to begin with https://"),
        ("login.example.com", "has to be the https:// address"),
        ("https://canary:canary@login.example.com", "without a user name"),
        ("https://login.example.com/?a=canary", "cannot have a user name or a query"),
        ("https://login.example.com/#canary", "a query or a fragment"),
        ("https://login.example.com/.well-known/openid-configuration", "leave out /.well-known/openid-configuration"),
        ("https://login.example.com/" + "x" * 250, "nor be longer than 255 characters"),
    ],
)
def test_an_issuer_that_cannot_be_used_is_refused_without_repeating_it(issuer: str, words: str) -> None:
    problem = problem_of(**PROVIDER | {"OIDC_ISSUER": issuer})

    assert problem.startswith("OIDC_ISSUER ")
    assert words in problem
    assert "canary" not in problem


@pytest.mark.parametrize("issuer", ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:8080/realm"])
def test_an_issuer_on_this_machine_needs_no_encryption(issuer: str) -> None:
    assert read(OIDC_ISSUER=issuer).issuer == issuer


@pytest.mark.parametrize("secret", ["canary secret", "canary\nsecret", "canary☃", "canary" * 50])
def test_a_secret_that_does_not_fit_into_a_header_is_refused_without_repeating_it(secret: str) -> None:
    problem = problem_of(**PROVIDER | {"OIDC_CLIENT_SECRET": secret})

    assert problem.startswith("OIDC_CLIENT_SECRET has to be the text that the provider shows")
    assert "canary" not in problem


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ops:harbor=admin", ("ops", "harbor", "admin")),
        (" ops : harbor = Admin ", ("ops", "harbor", "admin")),
        ("/Alertcheck team/ops:harbor=viewer", ("/Alertcheck team/ops", "harbor", "viewer")),
        ("urn:company:ops:harbor=support", ("urn:company:ops", "harbor", "support")),
        ("CN=ops%2COU=groups%2CDC=example:harbor=admin", ("CN=ops,OU=groups,DC=example", "harbor", "admin")),
        ("100%25:harbor=admin", ("100%", "harbor", "admin")),
        ("büro:harbor=admin", ("büro", "harbor", "admin")),
    ],
)
def test_a_group_may_contain_colons_equals_signs_and_escaped_commas(text: str, expected: tuple[str, ...]) -> None:
    assert read(OIDC_ROLES=text).group_roles == (GroupRole(*expected),)


def test_several_entries_are_separated_by_commas_or_lines() -> None:
    roles = read(OIDC_ROLES="ops:harbor=admin, ops:clinic=viewer\nhelpdesk:harbor=support,ops:harbor=admin").group_roles

    assert [(role.group, role.slug) for role in roles] == [("ops", "harbor"), ("ops", "clinic"), ("helpdesk", "harbor")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ops", "entry 1 does not end in one of =admin, =support, =viewer"),
        ("ops:harbor=admin,CN=ops,OU=x:harbor=admin", "entry 2 does not end in"),
        ("ops:harbor=owner", "entry 1 does not end in"),
        ("ops:harbor=admin; help:harbor=support", "entry 1 goes on behind a role: separate the entries by commas"),
        ("x:y=viewer,ops:harbor = Admin ;help:harbor=support", "entry 2 goes on behind a role"),
        ("ops:harbor=admin help:harbor=support", "entry 1 goes on behind a role"),
        ("ops:*=support", "entry 1 stands for every workspace: list each one by its slug"),
        ("ops=admin", "entry 1 has no slug of a workspace"),
        ("ops:Harbor=admin", "entry 1 has no slug of a workspace"),
        (":harbor=admin", "entry 1 has no group"),
        ("50%:harbor=admin", "entry 1 has a percent sign that begins no code"),
    ],
)
def test_an_entry_that_cannot_be_read_is_named_by_its_number(text: str, words: str) -> None:
    assert words in problem_of(**PROVIDER | {"OIDC_ROLES": text})


def test_the_roles_are_those_of_the_application() -> None:
    assert set(ROLES) == {role.value for role in Role}


def test_a_misspelled_setting_is_reported_with_the_nearest_name(caplog: pytest.LogCaptureFixture) -> None:
    read(OIDC_ROLE="ops:harbor=admin")

    assert "OIDC_ROLE is not a setting, so it is ignored. Did you mean OIDC_ROLES?" in caplog.text
