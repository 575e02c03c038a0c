"""Checks the single sign-on: whether the provider responds, fits the settings, and which workspaces its groups name."""

from collections.abc import Iterator

from sqlalchemy.exc import SQLAlchemyError

from webapp.failures import Code
from webapp.settings.single_sign_on import SingleSignOn
from webapp.settings_check.finding import Finding, Severity
from webapp.single_sign_on.group_roles import find_workspaces
from webapp.single_sign_on.metadata import Metadata
from webapp.single_sign_on.provider import Provider, find_provider
from webapp.single_sign_on.refusals import Refusal, SignOnRefused

_TLS = frozenset({Code.TLS_UNTRUSTED, Code.TLS_SELF_SIGNED, Code.TLS_INCOMPLETE_CHAIN})
_CHECK_ISSUER = "Check OIDC_ISSUER."
_OTHER_ISSUER = (
    'The issuer of the provider is not OIDC_ISSUER: write exactly the text of "issuer" in its discovery '
    "document, with or without the slash at its end. An address for several tenants, such as /common, cannot be used."
)
_UNUSABLE = (
    "The provider's discovery document or its keys cannot be used: it has to be JSON with https addresses and at least "
    "one public key. Check OIDC_ISSUER: it is the address before /.well-known/openid-configuration."
)
_CANNOT_SIGN = (
    "The provider signs with no method that Alertcheck accepts. Give the client a signing key there: RS256 or ES256, "
    "not HS256, whose secret would be shared."
)


def check_sign_in() -> list[Finding]:
    """Ask the provider for its metadata and its keys. Signs nobody in, so the client's secret is not tried."""
    provider = find_provider()
    if provider is None:
        return []
    found = [*_check_provider(provider), *_check_workspaces(provider.settings)]
    return found or [Finding("sign-in", Severity.OK, "The provider responds, and fits the settings.")]


def _check_provider(provider: Provider) -> Iterator[Finding]:
    try:
        with provider.connect() as client:
            try:
                metadata = provider.fetch_metadata(client)
                provider.fetch_keys(client, metadata)
            except SignOnRefused as refused:
                reason = f"{client.failure.message} " if client.failure else ""
                is_certificate = client.failure is not None and client.failure.code in _TLS
                yield _problem(reason + _find_cure(refused.refusal, is_certificate=is_certificate))
                return
    except SignOnRefused:
        return
    yield from _check_abilities(metadata, provider.settings)


def _find_cure(refusal: Refusal, *, is_certificate: bool) -> str:
    if is_certificate:
        return "Add the authority of the provider's certificate to ALERTCHECK_CA_FILE."
    return {Refusal.OTHER_ISSUER: _OTHER_ISSUER, Refusal.UNUSABLE_RESPONSE: _UNUSABLE}.get(refusal, _CHECK_ISSUER)


def _check_abilities(metadata: Metadata, settings: SingleSignOn) -> Iterator[Finding]:
    if not metadata.can_sign:
        yield _problem(_CANNOT_SIGN)
    if metadata.end_session is None:
        text = "The provider has no page for signing out: whoever signs out of Alertcheck stays signed in there."
        yield Finding("sign-in", Severity.NOTE, text)
    if not settings.group_roles:
        yield Finding("sign-in", Severity.NOTE, "OIDC_ROLES is not set: only people who are invited get an account.")


def _check_workspaces(settings: SingleSignOn) -> Iterator[Finding]:
    named = {mapping.slug for mapping in settings.group_roles}
    try:
        missing = named - {workspace.slug for workspace in find_workspaces(named)}
    except SQLAlchemyError:
        yield Finding("sign-in", Severity.NOTE, "The workspaces in OIDC_ROLES were not checked: no database.")
        return
    if missing:
        text = f"OIDC_ROLES names workspaces that do not exist: {', '.join(sorted(missing))}."
        yield Finding("sign-in", Severity.NOTE, text)


def _problem(text: str) -> Finding:
    return Finding("sign-in", Severity.PROBLEM, text)
