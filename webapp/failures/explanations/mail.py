"""Failures of the configured mail server. Their cure is often the administrator's."""

from webapp.failures.code import Code
from webapp.failures.explanations.explanation import Explanation

MAIL: dict[Code, Explanation] = {
    Code.SMTP_TEMPORARY: Explanation(
        "{host} cannot accept the message at the moment: {status}{token}.",
        "Send another test later. If it keeps happening, ask the administrator of the mail server.",
        may_retry=True,
    ),
    Code.SMTP_INTERRUPTED: Explanation(
        "{host} broke off the mail session before it had the message{wait}.",
        "Send another test in a minute. If it keeps happening, ask your Alertcheck administrator to check the mail "
        "server in ALERTCHECK_MAIL_URL.",
        may_retry=True,
    ),
    Code.SMTP_HOST_REFUSED: Explanation(
        "{host} refuses connections from the Alertcheck server: {status}{token}.",
        "Ask your Alertcheck administrator to have the mail server accept connections from the Alertcheck server.",
    ),
    Code.SMTP_WRONG_PORT: Explanation(
        "{host} does not use the encryption on this port that the mail settings name.",
        "Ask your Alertcheck administrator to correct ALERTCHECK_MAIL_URL: smtps:// for port 465, smtp+starttls:// for "
        "port 587, and smtp:// for port 25.",
    ),
    Code.SMTP_ENCRYPTION_REQUIRED: Explanation(
        "{host} accepts no mail without encryption: {status}{token}.",
        "Ask your Alertcheck administrator to use smtp+starttls:// in ALERTCHECK_MAIL_URL.",
    ),
    Code.SMTP_SIGN_IN_REQUIRED: Explanation(
        "{host} accepts no mail without a sign-in: {status}{token}.",
        "Ask your Alertcheck administrator to add the user and the password to ALERTCHECK_MAIL_URL.",
    ),
    Code.SMTP_APP_PASSWORD_REQUIRED: Explanation(
        "{host} accepts only an app password for this account: {status}{token}.",
        "Ask your Alertcheck administrator to create an app password for the account at its provider, and to use it in "
        "ALERTCHECK_MAIL_URL.",
    ),
    Code.SMTP_DISABLED_BY_TENANT: Explanation(
        "{host} does not allow this mailbox to send mail from other programs: {status}{token}.",
        "Ask your Alertcheck administrator to have Authenticated SMTP allowed for the mailbox. In the Microsoft 365 "
        "admin center: the user, Mail, Manage email apps, Authenticated SMTP.",
    ),
    Code.SMTP_RELAY_DENIED: Explanation(
        "{host} does not forward mail from Alertcheck to these recipients: {status}{token}.",
        "Ask your Alertcheck administrator to add a user and a password to ALERTCHECK_MAIL_URL, or to let the mail "
        "server relay mail from the Alertcheck server.",
    ),
    Code.SMTP_SENDER_NOT_OWNED: Explanation(
        "{host} does not let this account send from the sender's address: {status}{token}.",
        "Ask your Alertcheck administrator to set ALERTCHECK_MAIL_FROM to an address that belongs to the account in "
        "ALERTCHECK_MAIL_URL.",
    ),
    Code.MAILBOX_FULL: Explanation(
        "{host} refused the message because the mailbox is full: {status}{token}.",
        "Ask the recipient to make room in the mailbox, then send another test.",
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
