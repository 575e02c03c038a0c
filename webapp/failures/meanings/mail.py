"""Failures of the configured mail server. Their cure is often the administrator's."""

from webapp.failures.code import Code, Meaning

_ASK = "Ask your Alertcheck administrator to"

MAIL: dict[Code, Meaning] = {
    Code.SMTP_TEMPORARY: Meaning(
        "{host} put the message off {step}{delay_reason}{reply}.",
        "Send another test in a few minutes. If it keeps happening, ask your Alertcheck administrator to look for the "
        "reason in the log of the mail server.",
        may_retry=True,
    ),
    Code.SMTP_INTERRUPTED: Meaning(
        "{host} {event} {step}{wait}.",
        "Send another test in a minute. If it keeps happening, ask your Alertcheck administrator to check that the "
        "mail server in ALERTCHECK_MAIL_URL works and does not delay its greeting for the Alertcheck server.",
        may_retry=True,
    ),
    Code.SMTP_HOST_REFUSED: Meaning(
        "{host} does not accept mail from the Alertcheck server{reply}.",
        f"{_ASK} have the mail server in ALERTCHECK_MAIL_URL accept connections from the Alertcheck server, or to use "
        "another mail server there.",
    ),
    Code.SMTP_WRONG_PORT: Meaning(
        "{host} expects {expected}, and ALERTCHECK_MAIL_URL begins with a different scheme.",
        f"{_ASK} correct the scheme in ALERTCHECK_MAIL_URL. The usual schemes are smtps:// for port 465, "
        "smtp+starttls:// for port 587, and smtp:// for port 25.",
    ),
    Code.SMTP_ENCRYPTION_REQUIRED: Meaning(
        "{host} accepts mail over an encrypted connection only{reply}.",
        f"{_ASK} use smtp+starttls:// in ALERTCHECK_MAIL_URL.",
    ),
    Code.SMTP_SIGN_IN_REQUIRED: Meaning(
        "{host} accepts no mail without a sign-in{reply}.",
        f"{_ASK} add a user and a password to ALERTCHECK_MAIL_URL, as in smtps://user:password@host or "
        "smtp+starttls://user:password@host, and to keep its scheme if it is one of these.",
    ),
    Code.SMTP_APP_PASSWORD_REQUIRED: Meaning(
        "{host} accepts only an app password from Alertcheck, not the account's own password{reply}.",
        f"{_ASK} create an app password for the account at its provider, and to use it in ALERTCHECK_MAIL_URL.",
    ),
    Code.SMTP_DISABLED_BY_TENANT: Meaning(
        "{host} does not let Alertcheck send from this mailbox with a password{reply}.",
        f"{_ASK} enable Authenticated SMTP for the mailbox. In the Microsoft 365 admin center: Active users, the "
        "user, Mail, Manage email apps, Authenticated SMTP. If security defaults or a policy forbid it, use another "
        "mail server in ALERTCHECK_MAIL_URL.",
    ),
    Code.SMTP_RELAY_DENIED: Meaning(
        "{host} does not forward mail from Alertcheck to these recipients{reply}.",
        f"{_ASK} add a user and a password to ALERTCHECK_MAIL_URL, or to let the mail server relay mail from the "
        "Alertcheck server.",
    ),
    Code.SMTP_SENDER_NOT_OWNED: Meaning(
        "{host} does not let Alertcheck send from the sender's address{reply}.",
        f"{_ASK} set ALERTCHECK_MAIL_FROM to an address that the account in ALERTCHECK_MAIL_URL may send from, or to "
        "have the address verified or allowed at the mail provider.",
    ),
    Code.MAILBOX_FULL: Meaning(
        "{host} did not accept the message, because the mailbox of a recipient is full{reply}.",
        "Ask the recipients to make room in their mailboxes, then send another test.",
    ),
    Code.SMTP_AUTH_FAILED: Meaning(
        "{host} did not let Alertcheck sign in{reply}.",
        f"{_ASK} check the user and the password in ALERTCHECK_MAIL_URL. Some providers want the whole email address "
        "as the user, or an app password.",
    ),
    Code.SMTP_AUTH_UNAVAILABLE: Meaning(
        "{host} offers no password sign-in that Alertcheck supports{reply}.",
        f"{_ASK} check the server and the port in ALERTCHECK_MAIL_URL, and whether the server allows sign-in with a "
        "password there. If it needs none, remove the user and the password.",
    ),
    Code.SMTP_TLS_UNAVAILABLE: Meaning(
        "{host} did not start an encrypted connection{reply}.",
        f"{_ASK} check that encryption (STARTTLS) is set up on the mail server. If it works without encryption and "
        "without a password, use smtp:// in ALERTCHECK_MAIL_URL.",
    ),
    Code.SMTP_PROTOCOL: Meaning(
        "{host} does not respond as a mail server should{reply}.",
        f"{_ASK} check the server and the port in ALERTCHECK_MAIL_URL. Mail servers usually listen on port 587, 465 or "
        "25.",
    ),
    Code.SENDER_REFUSED: Meaning(
        "{host} refused the sender's address{reply}.",
        f"{_ASK} check ALERTCHECK_MAIL_FROM: its domain must exist, and its SPF, DKIM and DMARC records must allow the "
        "mail server in ALERTCHECK_MAIL_URL.",
    ),
    Code.RECIPIENTS_REFUSED: Meaning(
        "{host} accepted none of the recipients{reply}.",
        "Check the spelling of every recipient, that every mailbox exists, and that it accepts mail from outside.",
    ),
    Code.MESSAGE_REFUSED: Meaning(
        "{host} refused the message{reply}.",
        f"{_ASK} look in the log of the mail server, or to ask the mail provider, why it refuses the message: its "
        "content, its size or a sending limit.",
    ),
}
