"""Failures of the configured mail server. Their cure is often the administrator's."""

from webapp.failures.code import Code
from webapp.failures.explanations.explanation import Explanation

MAIL: dict[Code, Explanation] = {
    Code.SMTP_TEMPORARY: Explanation(
        "{host} cannot accept the message at the moment: {status}{token}.",
        "Send another test later. If it keeps happening, ask the administrator of the mail server.",
        may_retry=True,
    ),
    Code.SMTP_AUTH_FAILED: Explanation(
        "{host} did not let Alertcheck sign in: {status}{token}.",
        "Ask your Alertcheck administrator to check the user name and the password in the mail settings.",
    ),
    Code.SMTP_AUTH_UNAVAILABLE: Explanation(
        "{host} does not offer a way to sign in that Alertcheck supports.",
        "Ask your Alertcheck administrator to check the server, the port and the encryption in the mail settings.",
    ),
    Code.SMTP_TLS_UNAVAILABLE: Explanation(
        "{host} does not offer an encrypted connection.",
        "Ask your Alertcheck administrator to check the server, the port and the encryption in the mail settings.",
    ),
    Code.SMTP_PROTOCOL: Explanation(
        "The mail session with {host} failed before the whole message was sent.",
        "Ask your Alertcheck administrator to check the server and the port in the mail settings.",
    ),
    Code.SENDER_REFUSED: Explanation(
        "{host} refused the sender's address: {status}{token}.",
        "Ask your Alertcheck administrator to check the sender's address in the mail settings.",
    ),
    Code.RECIPIENTS_REFUSED: Explanation(
        "{host} refused every recipient: {status}{token}.",
        "Check the spelling of the recipients, and check that their mailboxes exist.",
    ),
    Code.MESSAGE_REFUSED: Explanation(
        "{host} refused the message: {status}{token}.",
        "Ask the administrator of the mail server why it refuses the message.",
    ),
}
