"""The sentence and the next step for every failure code. Support staff read both aloud on the phone."""

from enum import StrEnum

from webapp.failures.code import Code, Meaning
from webapp.failures.meanings.alertcheck import ALERTCHECK
from webapp.failures.meanings.connection import CONNECTION, NETWORK_CAUSES
from webapp.failures.meanings.http import HTTP, HTTP_CAUSES
from webapp.failures.meanings.mail import MAIL
from webapp.failures.meanings.settings import RETIREMENT_CAUSES, SETTINGS
from webapp.failures.meanings.tls import TLS, TLS_CAUSES

__all__ = ["CAUSES", "MEANINGS", "Meaning", "Protocol", "codes_of"]

MEANINGS: dict[Code, Meaning] = {**SETTINGS, **CONNECTION, **TLS, **HTTP, **MAIL, **ALERTCHECK}

CAUSES = {**TLS_CAUSES, **NETWORK_CAUSES, **HTTP_CAUSES, **RETIREMENT_CAUSES}

_HTTP_ONLY = frozenset(
    {
        *HTTP,
        Code.URL_INVALID,
        Code.SCHEME_NOT_ALLOWED,
        Code.PORT_NOT_ALLOWED,
        Code.HOST_NOT_EXPECTED,
        Code.TARGET_NOT_ALLOWED,
    }
)
_MAIL_ONLY = frozenset({*MAIL, Code.RECIPIENT_INVALID})


class Protocol(StrEnum):
    """How a channel sends its messages."""

    HTTP = "http"
    SMTP = "smtp"


def codes_of(protocol: Protocol) -> frozenset[Code]:
    """Return the codes that a delivery over this protocol can end with."""
    return frozenset(Code) - (_MAIL_ONLY if protocol is Protocol.HTTP else _HTTP_ONLY)
