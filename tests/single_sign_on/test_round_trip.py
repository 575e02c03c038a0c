"""The way to the provider and back, over real HTTP: what is asked, and everything that is refused."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote, urljoin, urlsplit

import pytest
from Cryptodome.PublicKey import RSA
from flask import Flask
from joserfc import jwt
from joserfc.jwk import OctKey
from sqlalchemy import func, select

from tests.factories import SeededIds, on_both_databases
from tests.single_sign_on.conftest import SignIn
from tests.single_sign_on.provider import CALLBACK, CLIENT_ID, CLIENT_SECRET, TestProvider, generate_key
from tests.visitor import Visitor
from webapp.extensions import db
from webapp.models import Account, ExternalIdentity

PAGE = "/w/harbor/history"


@cache
def _other_key() -> RSA.RsaKey:
    return generate_key()


@pytest.fixture(autouse=True)
def in_a_group(provider: TestProvider) -> None:
    """The user may sign in, so that every refusal has the reason that its test gives it."""
    provider.users["ada"]["groups"] = ["ops"]


def _count_accounts(app: Flask) -> tuple[int | None, int | None]:
    with app.app_context():
        counts = (select(func.count()).select_from(table) for table in (Account, ExternalIdentity))
        return db.session.scalar(next(counts)), db.session.scalar(next(counts))


def _is_signed_in(visitor: Visitor) -> bool:
    return visitor.get("/workspaces").status_code == 200


def _begin(visitor: Visitor, next_path: str | None = None) -> dict[str, str]:
    """Return the parameters that the provider gets."""
    begun = visitor.get("/sign-in/provider", query_string={"next": next_path} if next_path else {})
    return {name: values[0] for name, values in parse_qs(urlsplit(begun.location).query).items()}


def _without_padding(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


# What is asked


def test_a_browser_is_sent_with_pkce_a_nonce_and_a_state(browser: Visitor) -> None:
    asked = _begin(browser)

    assert len(asked.pop("state")) == 43
    assert len(asked.pop("nonce")) == 64
    assert len(asked.pop("code_challenge")) == 43
    assert asked == {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": f"http://localhost{CALLBACK}",
        "scope": "openid profile email groups",
        "code_challenge_method": "S256",
    }


def test_no_two_sign_ins_have_a_secret_in_common(browser: Visitor) -> None:
    first, second = _begin(browser), _begin(browser)

    assert [name for name in ("state", "nonce", "code_challenge") if first[name] == second[name]] == []


def test_the_cookie_has_neither_the_nonce_nor_the_secret_of_pkce(browser: Visitor) -> None:
    asked = _begin(browser)
    with browser.client.session_transaction() as session:
        kept = json.dumps(dict(session))

    assert asked["state"] in kept
    assert asked["nonce"] not in kept
    texts = kept.replace('"', " ").split()
    assert asked["code_challenge"] not in [_without_padding(hashlib.sha256(text.encode()).digest()) for text in texts]


def test_the_secret_is_sent_to_the_token_endpoint_alone(sign_in: SignIn, provider: TestProvider) -> None:
    sign_in()
    (sent,) = provider.authorizations
    name, _, secret = base64.b64decode(str(sent).removeprefix("Basic ")).decode().partition(":")

    assert (unquote(name), unquote(secret)) == (CLIENT_ID, CLIENT_SECRET)


# What is accepted


@on_both_databases
def test_the_provider_signs_somebody_in_who_comes_to_the_page_they_wanted(
    browser: Visitor, sign_in: SignIn, provider: TestProvider
) -> None:
    response = sign_in(PAGE)

    assert (response.status_code, response.location) == (302, PAGE)
    assert browser.get(PAGE).status_code == 200
    assert provider.requested == ["/.well-known/openid-configuration", "/authorize", "/token", "/jwks", "/userinfo"]


def test_whoever_is_in_thousands_of_groups_signs_in(browser: Visitor, sign_in: SignIn, provider: TestProvider) -> None:
    names = [f"0f8fad5b-d9cb-469f-a165-{number:012}" for number in range(4000)]
    provider.change_claims = lambda claims: claims.update(groups=[*names, "ops"])

    sign_in()

    assert _is_signed_in(browser)


def test_the_provider_is_asked_for_its_metadata_and_keys_once_an_hour(
    app: Flask, sign_in: SignIn, provider: TestProvider
) -> None:
    sign_in()
    provider.requested.clear()
    begun = Visitor.anonymous(app).get("/sign-in/provider")

    assert begun.status_code == 302
    assert provider.requested == []


OTHER_SITES = (
    *("//evil.example", "///evil.example", "https://evil.example/", "https:evil.example", "HTTPS:/evil.example"),
    *("/\\evil.example", "\\\\evil.example", "/\t/evil.example", "/\n/evil.example", " //evil.example", "evil.example"),
    *(
        "/\x00/evil.example",
        "/\u200b/evil.example",
        "/ /evil.example",
        "javascript:alert(1)",
        "//localhost:80@evil.example",
    ),
    *("?next=//evil.example", "@evil.example", ".evil.example", ""),
)


@pytest.mark.parametrize("path", OTHER_SITES)
def test_nothing_leads_to_another_site(sign_in: SignIn, path: str) -> None:
    assert sign_in(path).location == "/"


@pytest.mark.parametrize("path", ["/%2f%2fevil.example", "/%5cevil.example", "/.//evil.example", "/@evil.example"])
def test_what_only_looks_like_another_site_stays_a_path_of_ours(sign_in: SignIn, path: str) -> None:
    location = sign_in(path).location

    assert urlsplit(urljoin("http://localhost/sign-in/callback", location)).netloc == "localhost"


@pytest.mark.parametrize(
    "query", ["?next=%2f%2fevil.example", "?next=%252f%252fevil.example", "?next=/&next=//evil.example"]
)
def test_an_encoded_address_leads_nowhere_else(browser: Visitor, provider: TestProvider, query: str) -> None:
    response = browser.get(provider.sign_in(browser.get(f"/sign-in/provider{query}").location))

    assert response.location == "/"


def test_what_is_added_to_the_callback_leads_nowhere(sign_in: SignIn, provider: TestProvider) -> None:
    provider.added_to_callback = "&next=//evil.example"

    assert sign_in(PAGE).location == PAGE


def test_a_path_that_is_too_long_for_the_cookie_is_left_out(browser: Visitor, sign_in: SignIn) -> None:
    response = sign_in("/w/" + "x" * 501)

    assert response.location == "/"
    assert _is_signed_in(browser)


def test_the_session_is_a_new_one(browser: Visitor, sign_in: SignIn) -> None:
    browser.client.set_cookie("session", "planted")
    sign_in()
    with browser.client.session_transaction() as session:
        kept = dict(session)

    assert "single_sign_on" not in kept
    assert len(kept["_user_id"]) == 43


def test_a_cookie_that_somebody_else_planted_does_not_become_the_visitors_session(
    app: Flask, browser: Visitor, seeded: SeededIds, provider: TestProvider
) -> None:
    thief = Visitor.signed_in(app, seeded.stranger)
    planted = thief.client.get_cookie("session")
    assert planted is not None
    path = provider.sign_in(browser.get("/sign-in/provider").location)
    kept = browser.client.get_cookie("session")
    assert kept is not None
    assert browser.get(path).location == "/"

    # The thief has the cookie from before, with the state in it, and one of a session of their own.
    for cookie in (kept, planted):
        thief.client.set_cookie("session", cookie.value)
        assert thief.get("/w/harbor/destinations").status_code in (302, 404)
    assert browser.get("/w/harbor/destinations").status_code == 200


def test_a_sign_in_at_the_provider_ends_the_session_that_the_browser_had(
    app: Flask, seeded: SeededIds, provider: TestProvider
) -> None:
    visitor = Visitor.anonymous(app)
    path = provider.sign_in(visitor.get("/sign-in/provider").location)
    before = Visitor.signed_in(app, seeded.stranger)
    with visitor.client.session_transaction() as session, before.client.session_transaction() as other:
        session.update(other)

    assert visitor.get(path).location == "/"
    assert before.get("/workspaces").status_code == 302


@pytest.mark.parametrize("order", [(0, 3), (3, 0), (1, 2)])
def test_sign_ins_in_several_tabs_all_work(browser: Visitor, provider: TestProvider, order: tuple[int, int]) -> None:
    pages = ["/w/harbor/history", "/w/harbor/destinations", "/w/harbor/members", "/workspaces"]
    urls = [browser.get("/sign-in/provider", query_string={"next": page}).location for page in pages]
    first, second = order

    assert browser.get(provider.sign_in(urls[first])).location == pages[first]
    assert browser.get(provider.sign_in(urls[second])).location == "/"  # signed in already by then


def test_both_tabs_work_if_both_are_at_the_provider_and_return_at_once(
    browser: Visitor, provider: TestProvider
) -> None:
    paths = [provider.sign_in(browser.get("/sign-in/provider").location) for _ in range(2)]
    cookie = browser.client.get_cookie("session")
    assert cookie is not None
    locations = []
    for path in paths:
        browser.client.set_cookie("session", cookie.value)  # as neither has had the response of the other
        locations.append(browser.get(path).location)

    assert locations == ["/", "/"]
    assert _is_signed_in(browser)


@pytest.mark.parametrize("rotated", [False, True])
def test_unknown_keys_make_us_ask_for_keys_at_most_once_a_moment(
    app: Flask, sign_in: SignIn, provider: TestProvider, monkeypatch: pytest.MonkeyPatch, rotated: bool
) -> None:
    sign_in()
    monkeypatch.setattr("webapp.single_sign_on.provider.RENEWAL_PAUSE", 3600.0 if rotated else 0.0)
    provider.change_claims = lambda claims: claims
    provider.sign = provider.sign_with(_other_key(), "k7")
    provider.requested.clear()
    for _ in range(3):
        other = Visitor.anonymous(app)
        assert other.get(provider.sign_in(other.get("/sign-in/provider").location)).status_code == 400

    assert provider.requested.count("/jwks") == (0 if rotated else 3)


def test_new_keys_are_fetched_once_a_token_is_signed_with_one(
    app: Flask, sign_in: SignIn, provider: TestProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in()
    monkeypatch.setattr("webapp.single_sign_on.provider.RENEWAL_PAUSE", 0.0)
    provider.rotate("k2")
    provider.requested.clear()
    other = Visitor.anonymous(app)
    response = other.get(provider.sign_in(other.get("/sign-in/provider").location))

    assert response.location == "/"
    assert provider.requested.count("/jwks") == 1


def test_a_few_seconds_between_the_clocks_do_not_matter(sign_in: SignIn, provider: TestProvider) -> None:
    now = int(time.time())
    provider.change_claims = lambda claims: claims.update(exp=now - 30, iat=now + 30, nbf=now + 30)

    assert sign_in().location == "/"


def test_the_issuer_beside_the_code_may_be_named(sign_in: SignIn, provider: TestProvider) -> None:
    provider.changed_metadata = {"authorization_response_iss_parameter_supported": True}
    provider.added_to_callback = f"&iss={provider.issuer}"

    assert sign_in().location == "/"


@pytest.mark.parametrize("extra", [{"aud": [CLIENT_ID, "other"], "azp": CLIENT_ID}, {"aud": [CLIENT_ID]}])
def test_a_token_for_several_programs_has_to_be_issued_to_us(
    sign_in: SignIn, provider: TestProvider, extra: dict[str, Any]
) -> None:
    provider.change_claims = lambda claims: claims.update(extra)

    assert sign_in().location == "/"


# What is refused


def _sign_with_other_key(provider: TestProvider) -> None:
    provider.sign = provider.sign_with(_other_key(), "k1")


def _sign_with_unknown_key(provider: TestProvider) -> None:
    provider.sign = provider.sign_with(_other_key(), "k7")


def _sign_with_key_in_header(provider: TestProvider) -> None:
    exponent = {"kty": "RSA", "n": _without_padding(_other_key().n.to_bytes(256, "big")), "e": "AQAB"}
    provider.sign = provider.sign_with(_other_key(), "k9", jwk=exponent, jku="http://127.0.0.1:1/jwks")


def _leave_unsigned(provider: TestProvider) -> None:
    provider.sign = lambda claims: ".".join(
        (*(_without_padding(json.dumps(part).encode()) for part in ({"alg": "none", "kid": "k1"}, claims)), "")
    )


def _sign_with_public_key(provider: TestProvider) -> None:
    def sign(claims: dict[str, Any]) -> str:
        content = ".".join(
            _without_padding(json.dumps(part).encode()) for part in ({"alg": "HS256", "kid": "k1"}, claims)
        )
        return f"{content}.{_without_padding(hmac.digest(public_key, content.encode(), 'sha256'))}"

    public_key = provider.own_key.public_key().export_key()
    provider.sign = sign


def _sign_with_client_secret(provider: TestProvider) -> None:
    provider.sign = lambda claims: jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(CLIENT_SECRET))


def _garble(provider: TestProvider) -> None:
    provider.sign = lambda claims: "not.a.token"


NOW = int(time.time())
FORGED: dict[str, tuple[Callable[[TestProvider], None], str]] = {
    "a signature by another key": (_sign_with_other_key, "is not signed with a key of the sign-in provider"),
    "an unknown key": (_sign_with_unknown_key, "is not signed with a key of the sign-in provider"),
    "a key in the header": (_sign_with_key_in_header, "is not signed with a key of the sign-in provider"),
    "alg none": (_leave_unsigned, "signed in a way that Alertcheck does not accept"),
    "HS256 with the public key": (_sign_with_public_key, "signed in a way that Alertcheck does not accept"),
    "HS256 with the client's secret": (_sign_with_client_secret, "signed in a way that Alertcheck does not accept"),
    "no token": (_garble, "is incomplete"),
}


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
@pytest.mark.parametrize("forgery", FORGED)
def test_a_forged_token_signs_nobody_in(
    app: Flask, browser: Visitor, sign_in: SignIn, provider: TestProvider, forgery: str
) -> None:
    before = _count_accounts(app)
    provider.change_claims = lambda claims: claims
    prepare, words = FORGED[forgery]
    prepare(provider)
    response = sign_in()

    assert response.status_code == 400
    assert words in response.text
    assert (_count_accounts(app), _is_signed_in(browser)) == (before, False)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "another audience": ({"aud": "other"}, "meant for another program"),
    "several audiences": ({"aud": [CLIENT_ID, "other"]}, "meant for another program"),
    "issued to another": ({"aud": [CLIENT_ID, "other"], "azp": "other"}, "meant for another program"),
    "no audience": ({"aud": None}, "meant for another program"),
    "another nonce": ({"nonce": "other"}, "belongs to another sign-in"),
    "no nonce": ({"nonce": None}, "belongs to another sign-in"),
    "a list of nonces": ({"nonce": ["other"]}, "belongs to another sign-in"),
    "another issuer": ({"iss": "https://evil.example"}, "came from another provider"),
    "expired": ({"exp": NOW - 3600}, "has expired"),
    "expired before the clocks' tolerance": ({"exp": NOW - 62}, "has expired"),
    "expired, and fractional": ({"exp": NOW - 3600.5}, "has expired"),
    "expired, not a number": ({"exp": "never"}, "is incomplete"),
    "no expiry": ({"exp": None}, "is incomplete"),
    "not valid yet": ({"nbf": NOW + 3600}, "is not valid yet"),
    "from the future": ({"iat": NOW + 3600}, "is not valid yet"),
    "no subject": ({"sub": None}, "is incomplete"),
    "an empty subject": ({"sub": ""}, "is incomplete"),
    "a long subject": ({"sub": "s" * 256}, "is incomplete"),
    "a subject with a NUL": ({"sub": "s\x00"}, "is incomplete"),
    "a subject with half a pair": ({"sub": "s\ud800"}, "is incomplete"),
    "a subject that is no text": ({"sub": 7}, "is incomplete"),
    "another access token": ({"at_hash": "x" * 22}, "is incomplete"),
    "an odd access token": ({"at_hash": {"a": 1}}, "is incomplete"),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_a_token_that_says_something_wrong_signs_nobody_in(
    app: Flask, browser: Visitor, sign_in: SignIn, provider: TestProvider, mistake: str
) -> None:
    before = _count_accounts(app)
    changes, words = WRONG[mistake]

    def change(claims: dict[str, Any]) -> None:
        claims.update(changes)
        for name in [name for name, value in claims.items() if value is None]:
            del claims[name]

    provider.change_claims = change
    response = sign_in()

    assert response.status_code == 400
    assert words in response.text
    assert (_count_accounts(app), _is_signed_in(browser)) == (before, False)


def test_a_code_works_once(app: Flask, browser: Visitor, sign_in: SignIn, provider: TestProvider) -> None:
    begun = browser.get("/sign-in/provider").location
    used = parse_qs(urlsplit(provider.sign_in(begun)).query)["code"][0]
    first = parse_qs(urlsplit(begun).query)["state"][0]
    assert browser.get(CALLBACK, query_string={"code": used, "state": first}).location == "/"
    thief = Visitor.anonymous(app)
    response = thief.get(CALLBACK, query_string={"code": used, "state": _begin(thief)["state"]})

    assert response.status_code == 400
    assert "used up, too old, or of another browser" in response.text
    assert not _is_signed_in(thief)


def test_a_code_works_once_even_with_a_copy_of_the_cookie(browser: Visitor, provider: TestProvider) -> None:
    path = provider.sign_in(browser.get("/sign-in/provider").location)
    cookie = browser.client.get_cookie("session")
    assert cookie is not None
    assert browser.get(path).location == "/"
    browser.client.set_cookie("session", cookie.value)
    response = browser.get(path)

    assert (response.status_code, provider.requested.count("/token")) == (400, 2)
    assert "used up, too old, or of another browser" in response.text


def test_a_code_of_another_sign_in_does_not_fit_the_secret_of_pkce(
    app: Flask, browser: Visitor, provider: TestProvider
) -> None:
    stolen = parse_qs(urlsplit(provider.sign_in(browser.get("/sign-in/provider").location)).query)["code"][0]
    thief = Visitor.anonymous(app)
    response = thief.get(CALLBACK, query_string={"code": stolen, "state": _begin(thief)["state"]})

    assert response.status_code == 400
    assert "used up, too old, or of another browser" in response.text
    assert not _is_signed_in(thief)


def test_a_callback_works_once(browser: Visitor, provider: TestProvider) -> None:
    path = provider.sign_in(browser.get("/sign-in/provider").location)
    assert browser.get(path).location == "/"
    browser.get("/workspaces")
    browser.post("/sign-out")
    response = browser.get(path)

    assert response.status_code == 400
    assert "was not started in this browser, was used before" in response.text
    assert not _is_signed_in(browser)


def test_a_repeated_callback_leads_on_whoever_is_signed_in(browser: Visitor, provider: TestProvider) -> None:
    path = provider.sign_in(browser.get("/sign-in/provider").location)

    assert [browser.get(path).location for _ in range(2)] == ["/", "/"]
    assert _is_signed_in(browser)


def test_a_callback_of_another_browser_signs_nobody_in(app: Flask, browser: Visitor, provider: TestProvider) -> None:
    path = provider.sign_in(browser.get("/sign-in/provider").location)
    victim = Visitor.anonymous(app)
    victim.get("/sign-in/provider")
    response = victim.get(path)

    assert response.status_code == 400
    assert "was not started in this browser" in response.text
    assert not _is_signed_in(victim)
    assert "/token" not in provider.requested


@pytest.mark.parametrize(
    "query", ["", "?state=", "?code=x", "?state=x&code=x", "?state=%00&code=%00", "?state=%E2%98%83", "?error=x"]
)
def test_a_callback_out_of_nowhere_is_refused(browser: Visitor, provider: TestProvider, query: str) -> None:
    response = browser.get(f"{CALLBACK}{query}")

    assert response.status_code == 400
    assert "was not started in this browser" in response.text
    assert provider.requested == []


@pytest.mark.parametrize(
    "added", ["&iss=https://evil.example", "&iss=", "&iss={issuer}/", "&iss={issuer}&iss={issuer}"]
)
def test_a_callback_from_another_provider_is_refused_before_its_code_is_sent_anywhere(
    browser: Visitor, sign_in: SignIn, provider: TestProvider, added: str
) -> None:
    provider.added_to_callback = added.format(issuer=provider.issuer)
    response = sign_in()

    assert response.status_code == 400
    assert "came from another provider" in response.text
    assert "/token" not in provider.requested


def test_a_provider_that_names_itself_in_each_redirect_has_to_do_so(sign_in: SignIn, provider: TestProvider) -> None:
    provider.changed_metadata = {"authorization_response_iss_parameter_supported": True}

    assert "came from another provider" in sign_in().text
    assert "/token" not in provider.requested


def test_an_error_of_the_provider_is_explained_in_our_words(browser: Visitor) -> None:
    state = _begin(browser)["state"]
    query = {"state": state, "error": "access_denied", "error_description": "canary<script>"}
    response = browser.get(CALLBACK, query_string=query)

    assert response.status_code == 403
    assert "did not sign you in" in response.text
    assert "canary" not in response.text


@pytest.mark.parametrize("code", ["", "x" * 8193, "\x00", "a b&c=d", "☃"])
def test_an_odd_code_is_refused(browser: Visitor, code: str) -> None:
    response = browser.get(CALLBACK, query_string={"state": _begin(browser)["state"], "code": code})

    assert response.status_code in (400, 503)
    assert 'role="alert"' in response.text


def test_a_sign_in_that_took_too_long_is_refused(browser: Visitor, provider: TestProvider) -> None:
    path = provider.sign_in(browser.get("/sign-in/provider").location)
    with browser.client.session_transaction() as session:
        session["single_sign_on"] = [[state, at - 1801, page] for state, at, page in session["single_sign_on"]]

    assert "more than 30 minutes old" in browser.get(path).text


@pytest.mark.parametrize("subject", ["other", None])
def test_what_the_provider_tells_about_somebody_else_is_refused(
    sign_in: SignIn, provider: TestProvider, subject: str | None
) -> None:
    provider.answers["/userinfo"] = lambda handler: handler.send_json(
        {"email": "admin@example.com", "email_verified": True} | ({"sub": subject} if subject else {})
    )

    assert "is incomplete" in sign_in().text


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        ({}, "is incomplete"),
        ({"access_token": "a"}, "is incomplete"),
        ({"id_token": "a.b.c"}, "is incomplete"),
        ({"id_token": ["a"], "access_token": "a"}, "is incomplete"),
        ({"id_token": "☃", "access_token": "a"}, "is incomplete"),
        ({"id_token": "a.b.c", "access_token": "a\r\nX-Evil: 1"}, "is incomplete"),
        ([], "that Alertcheck cannot use"),
    ],
)
def test_odd_tokens_are_refused(sign_in: SignIn, provider: TestProvider, tokens: Any, words: str) -> None:
    provider.answers["/token"] = lambda handler: handler.send_json(tokens)

    assert words in sign_in().text


def test_a_client_secret_that_the_provider_does_not_accept_is_named(sign_in: SignIn, provider: TestProvider) -> None:
    provider.answers["/token"] = lambda handler: handler.send_json({"error": "invalid_client"}, 401)
    response = sign_in()

    assert response.status_code == 503
    assert "does not accept Alertcheck&#39;s client secret" in response.text


def test_nothing_secret_gets_into_the_log_or_a_page(
    sign_in: SignIn, provider: TestProvider, caplog: pytest.LogCaptureFixture
) -> None:
    provider.change_claims = lambda claims: claims.update(nonce="other")
    response = sign_in()

    assert "reason" in caplog.text
    for secret in (CLIENT_SECRET, "ada@example.com"):
        assert secret not in response.text + "".join(
            record.getMessage() + str(record.__dict__) for record in caplog.records if record.name.startswith("webapp")
        )


def test_who_is_signed_in_already_goes_on_at_once(seeded: SeededIds, app: Flask, provider: TestProvider) -> None:
    response = Visitor.signed_in(app, seeded.admin).get("/sign-in/provider", query_string={"next": PAGE})

    assert response.location == PAGE
    assert provider.requested == []
