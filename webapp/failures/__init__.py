"""The closed list of ways a delivery can fail, and what a person is told about each.

The sentences are ours. A failure is named by the *type* of what went wrong, the *step* it went
wrong at and *numbers* (an HTTP status, an SMTP code, seconds), never by the text of an exception or of the
far end's answer: both can hold the secret address.
"""

from webapp.failures.code import Code
from webapp.failures.explanations import EXPLANATIONS, Explanation
from webapp.failures.failure import DeliveryFailed, Facts, describe

__all__ = ["EXPLANATIONS", "Code", "DeliveryFailed", "Explanation", "Facts", "describe"]
