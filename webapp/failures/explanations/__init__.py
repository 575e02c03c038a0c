"""The sentence and the next step for every failure code. Support staff read both aloud on the phone."""

from enum import StrEnum

from webapp.failures.code import Code
from webapp.failures.explanations.alertcheck import ALERTCHECK
from webapp.failures.explanations.connection import CONNECTION, PROXY_CAUSES
from webapp.failures.explanations.explanation import Explanation
from webapp.failures.explanations.http import HTTP, HTTP_CAUSES
from webapp.failures.explanations.mail import MAIL
from webapp.failures.explanations.settings import RETIREMENT_CAUSES, SETTINGS
from webapp.failures.explanations.tls import TLS, TLS_CAUSES

__all__ = ["CAUSES", "EXPLANATIONS", "Explanation", "Protocol", "codes_of"]

EXPLANATIONS: dict[Code, Explanation] = {**SETTINGS, **CONNECTION, **TLS, **HTTP, **MAIL, **ALERTCHECK}

CAUSES = {**TLS_CAUSES, **PROXY_CAUSES, **HTTP_CAUSES, **RETIREMENT_CAUSES}

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
