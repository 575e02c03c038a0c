"""The closed list of failure codes, with a sentence and a next step for each.

All sentences are our own. A failure is described by the *type* of an error, the *step* at which it happened and
*numbers* (an HTTP status, an SMTP code, seconds), never by the text of an exception or of the receiver's response:
both can contain the secret address.
"""

from webapp.failures.code import Code
from webapp.failures.explanations import EXPLANATIONS, Explanation
from webapp.failures.failure import DeliveryFailed, Facts, describe

__all__ = ["EXPLANATIONS", "Code", "DeliveryFailed", "Explanation", "Facts", "describe"]
