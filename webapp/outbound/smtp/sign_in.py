"""Signs in to a mail server with the mechanisms that it offers, each of them once at most."""

import hashlib
from collections.abc import Callable, Sequence
from smtplib import SMTP, SMTPAuthenticationError

from webapp.failures import Code, DeliveryFailed, Facts
from webapp.outbound.smtp.mail_server import MailServer
from webapp.outbound.smtp.replies import Reply

_ACCEPTED = 235

# Best first. All of them are used over TLS only, so CRAM-MD5 protects nothing more, and many servers offer it without
# supporting it.
_MECHANISMS = ("PLAIN", "LOGIN", "CRAM-MD5")

# After this many refusals of the password, no other mechanism is tried: servers lock accounts after a few.
MAX_PASSWORD_REFUSALS = 2

# What a refusal tells about the cause, most first.
_MOST_TELLING = (
    Code.SMTP_APP_PASSWORD_REQUIRED,
    Code.SMTP_DISABLED_BY_TENANT,
    Code.SMTP_AUTH_FAILED,
    Code.SMTP_TEMPORARY,
    Code.SMTP_ENCRYPTION_REQUIRED,
    Code.SMTP_AUTH_UNAVAILABLE,
)
# The refusals after which another mechanism may succeed.
_OF_ONE_MECHANISM = frozenset({Code.SMTP_AUTH_FAILED, Code.SMTP_AUTH_UNAVAILABLE})


def sign_in(smtp: SMTP, server: MailServer, classify: Callable[[Reply], DeliveryFailed]) -> None:
    """Sign in. Raises `DeliveryFailed` with the most telling refusal, or OSError or ValueError if the dialog breaks.

    classify: returns the failure for a refusal.
    """
    smtp.user, smtp.password = server.username or "", server.password or ""
    refusals: list[DeliveryFailed] = []
    for mechanism in _list_mechanisms(smtp):
        try:
            reply = _try_mechanism(smtp, mechanism)
        except (OSError, ValueError):
            if not refusals:
                raise
            break  # the server hung up after it had said why
        if reply[0] == _ACCEPTED:
            return
        refusals.append(classify(reply))
        if not _may_try_another(refusals):
            break
    raise min(refusals, key=_rank, default=DeliveryFailed(Code.SMTP_AUTH_UNAVAILABLE, Facts(server.host)))


def _list_mechanisms(smtp: SMTP) -> list[str]:
    """Return the supported ones of the mechanisms that the server offers, best first."""
    offered = smtp.esmtp_features.get("auth", "").upper().split()
    return [name for name in _MECHANISMS if name in offered and (name != "CRAM-MD5" or _has_md5())]


def _try_mechanism(smtp: SMTP, name: str) -> Reply:
    try:
        match name:
            case "PLAIN":
                return smtp.auth(name, smtp.auth_plain)
            case "LOGIN":  # as a dialog, because old servers know no other form
                return smtp.auth(name, smtp.auth_login, initial_response_ok=False)
        return smtp.auth(name, smtp.auth_cram_md5, initial_response_ok=False)
    except SMTPAuthenticationError as error:
        text = error.smtp_error
        return error.smtp_code, text if isinstance(text, bytes) else b""


def _may_try_another(refusals: Sequence[DeliveryFailed]) -> bool:
    """Check whether another mechanism may succeed, without risk that the account is locked."""
    codes = [refusal.code for refusal in refusals]
    return codes[-1] in _OF_ONE_MECHANISM and codes.count(Code.SMTP_AUTH_FAILED) < MAX_PASSWORD_REFUSALS


def _rank(refusal: DeliveryFailed) -> int:
    return _MOST_TELLING.index(refusal.code) if refusal.code in _MOST_TELLING else len(_MOST_TELLING)


def _has_md5() -> bool:
    try:
        hashlib.md5()  # noqa: S324 - CRAM-MD5 prescribes it
    except ValueError:  # a machine that allows only FIPS algorithms
        return False
    return True
