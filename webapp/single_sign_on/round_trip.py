"""The way to the provider and back: where a browser is sent to, and who it is when it returns."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt

from webapp.settings.single_sign_on import SingleSignOn
from webapp.single_sign_on.attempts import SignInAttempt
from webapp.single_sign_on.id_tokens import Expected, UnknownKey, check_claims, read_id_token
from webapp.single_sign_on.metadata import Metadata
from webapp.single_sign_on.people import Person, is_complete, read_person
from webapp.single_sign_on.provider import Provider
from webapp.single_sign_on.provider_client import ProviderClient
from webapp.single_sign_on.refusals import Refusal, SignOnRefused

_SCOPES = ("openid", "profile", "email")
# Requested only from a provider that lists it: others refuse what they do not know.
_GROUPS_SCOPE = "groups"

# Characters of what comes back in an address.
MAX_CODE_LENGTH = 8192

# What fits into a header.
_BEARER = re.compile(r"[!-~]{1,16384}")


def find_authorization_url(provider: Provider, attempt: SignInAttempt) -> str:
    """Return where to send a browser that begins a sign-in. Raises `SignOnRefused`."""
    with provider.connect() as client:
        metadata = provider.load_metadata(client)
    settings = provider.settings
    wants_groups = bool(settings.group_roles) and _GROUPS_SCOPE in metadata.scopes
    url: str = prepare_grant_uri(
        metadata.authorization,
        client_id=settings.client_id,
        response_type="code",  # answered in the query, so the session's cookie comes along (SameSite=Lax)
        redirect_uri=settings.redirect_uri,
        scope=[*_SCOPES, *([_GROUPS_SCOPE] if wants_groups else ())],
        state=attempt.state,
        nonce=attempt.nonce,
        code_challenge=create_s256_code_challenge(attempt.verifier),
        code_challenge_method="S256",
    )
    return url


def identify_person(provider: Provider, attempt: SignInAttempt, response: Mapping[str, str], now: datetime) -> Person:
    """Return who the provider signed in. response: the parameters that the browser brought. Raises `SignOnRefused`."""
    with provider.connect() as client:
        metadata = provider.load_metadata(client)
        _check_response(response, metadata, provider.settings)
        tokens = _redeem_code(client, metadata, provider.settings, response.get("code", ""), attempt)
        id_token, access_token = tokens.get("id_token"), tokens.get("access_token")
        if not (isinstance(id_token, str) and isinstance(access_token, str) and _BEARER.fullmatch(access_token)):
            raise SignOnRefused(Refusal.INCOMPLETE)
        expected = Expected(provider.settings.issuer, provider.settings.client_id, attempt.nonce, access_token)
        claims = check_claims(_read_token(provider, client, metadata, id_token), expected, now)
        claims = _add_userinfo(client, metadata, provider.settings, claims, expected.access_token)
    return read_person(claims, provider.settings.groups_claim)


def _check_response(response: Mapping[str, str], metadata: Metadata, settings: SingleSignOn) -> None:
    """Check that the browser comes from this provider (RFC 9207, against mix-up) and has a code."""
    issuer = response.get("iss")
    if issuer != settings.issuer and (issuer is not None or metadata.names_issuer):
        raise SignOnRefused(Refusal.OTHER_ISSUER)
    if "error" in response:
        raise SignOnRefused(Refusal.DENIED)
    if not 0 < len(response.get("code", "")) <= MAX_CODE_LENGTH:
        raise SignOnRefused(Refusal.INCOMPLETE)


def _redeem_code(
    client: ProviderClient, metadata: Metadata, settings: SingleSignOn, code: str, attempt: SignInAttempt
) -> Mapping[str, Any]:
    body = prepare_token_request(
        "authorization_code", code=code, redirect_uri=settings.redirect_uri, code_verifier=attempt.verifier
    )
    # In a header, both are encoded first (RFC 6749, section 2.3.1).
    encode = quote if metadata.auth_method == "client_secret_basic" else str
    auth = ClientAuth(encode(settings.client_id), encode(settings.client_secret), metadata.auth_method)
    url, headers, body = auth.prepare("POST", metadata.token, {}, body)
    status, tokens = client.post_form(url, metadata.origins, body, headers)
    if status == 200:
        return tokens
    if tokens.get("error") in ("invalid_grant", "invalid_request"):  # the latter also if PKCE does not fit
        raise SignOnRefused(Refusal.CODE_REFUSED)
    is_about_us = tokens.get("error") in ("invalid_client", "unauthorized_client")
    raise SignOnRefused(Refusal.CLIENT_REFUSED if is_about_us else Refusal.UNUSABLE_RESPONSE)


def _read_token(provider: Provider, client: ProviderClient, metadata: Metadata, token: str) -> jwt.Token:
    """Check a token's signature. If its key is not known, ask the provider for its keys once more."""
    try:
        return read_id_token(token, provider.load_keys(client, metadata))
    except UnknownKey:
        pass
    try:
        return read_id_token(token, provider.load_keys(client, metadata, renew=True))
    except UnknownKey:
        raise SignOnRefused(Refusal.SIGNATURE) from None


def _add_userinfo(
    client: ProviderClient,
    metadata: Metadata,
    settings: SingleSignOn,
    claims: dict[str, Any],
    access_token: str,
) -> dict[str, Any]:
    """Add what the provider tells only if it is asked. What it signed comes first."""
    groups_claim = settings.groups_claim if settings.group_roles else None
    if metadata.userinfo is None or is_complete(claims, groups_claim):
        return claims
    headers = {"Authorization": f"Bearer {access_token}"}
    more = client.get_json(metadata.userinfo, metadata.origins, headers)
    if more.get("sub") != claims["sub"]:  # it may be about somebody else (Core, section 5.3.2)
        raise SignOnRefused(Refusal.INCOMPLETE)
    return {**more, **claims}
