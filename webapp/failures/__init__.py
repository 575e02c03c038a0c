"""The closed list of failure codes, with a sentence and a next step for each.

All sentences are our own. A failure is described by the *type* of an error, the *step* at which it happened and
*numbers* (an HTTP status, an SMTP code, seconds), never by the text of an exception or of the receiver's response:
both can contain the secret address.
"""

from webapp.failures.arrival_sentences import CHECK_ACCEPTED, CHECK_BEFORE_TEST, drop_arrival_check
from webapp.failures.cause import Cause
from webapp.failures.certificate import CertificateFacts
from webapp.failures.code import Code
from webapp.failures.failure import MAX_LENGTH, DeliveryFailed, Facts, describe
from webapp.failures.meanings import CAUSES, MEANINGS, Meaning, Protocol, codes_of
from webapp.failures.suggested_setting import Suggestion, suggest_integer

__all__ = [
    "CAUSES",
    "CHECK_ACCEPTED",
    "CHECK_BEFORE_TEST",
    "MAX_LENGTH",
    "MEANINGS",
    "Cause",
    "CertificateFacts",
    "Code",
    "DeliveryFailed",
    "Facts",
    "Meaning",
    "Protocol",
    "Suggestion",
    "codes_of",
    "describe",
    "drop_arrival_check",
    "suggest_integer",
]
