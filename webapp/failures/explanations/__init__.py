"""The sentence and the next step for every failure code. Support staff read both aloud on the phone."""

from webapp.failures.code import Code
from webapp.failures.explanations.alertcheck import ALERTCHECK
from webapp.failures.explanations.connection import CONNECTION
from webapp.failures.explanations.explanation import Explanation
from webapp.failures.explanations.http import HTTP
from webapp.failures.explanations.mail import MAIL
from webapp.failures.explanations.settings import SETTINGS
from webapp.failures.explanations.tls import CAUSES, TLS

__all__ = ["CAUSES", "EXPLANATIONS", "Explanation"]

EXPLANATIONS: dict[Code, Explanation] = {**SETTINGS, **CONNECTION, **TLS, **HTTP, **MAIL, **ALERTCHECK}
