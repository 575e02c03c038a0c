"""What the replies of mail servers mean, each given by a scripted server at its step.

The replies are those of the large systems, as they stand in their manuals and in public bug reports.
"""

from dataclasses import replace
from email.message import EmailMessage

import pytest
import trustme

from tests.outbound.smtp.mail_servers import (
    OFFERS_TLS,
    THREE,
    failure_from,
    failure_of,
    offering,
    plain,
    server_context,
    signing_in,
)
from tests.scripted_mail_server import Script, mail_server
from webapp.failures import MEANINGS, Code, DeliveryFailed
from webapp.outbound.smtp.client import MailSecurity, send_mail

# The moment, the reply, and the code of its failure.
PERMANENT = [
    # Before a sign-in or a message
    ("GREETING", "554 5.7.1 mail.example.com ESMTP not accepting connections", Code.SMTP_HOST_REFUSED),
    ("GREETING", "554-mx.example.com\r\n554 Your access to this mail system has been rejected", Code.SMTP_HOST_REFUSED),
    ("GREETING", "521 mail.example.com does not accept mail", Code.SMTP_HOST_REFUSED),
    ("GREETING", "550 5.3.2 no mail here", Code.SMTP_HOST_REFUSED),
    ("EHLO", "550 5.7.1 Access denied", Code.SMTP_HOST_REFUSED),
    ("EHLO", "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked", Code.SMTP_HOST_REFUSED),
    ("EHLO", "530 Please login with USER and PASS.", Code.SMTP_PROTOCOL),
    # Encryption and sign-in, asked for at MAIL or RCPT
    ("MAIL", "530 5.7.0 Must issue a STARTTLS command first", Code.SMTP_ENCRYPTION_REQUIRED),
    ("MAIL", "530 Must issue a STARTTLS command first. w29sm21914057vcr.2", Code.SMTP_ENCRYPTION_REQUIRED),
    ("MAIL", "538 5.7.11 Encryption required for requested authentication mechanism", Code.SMTP_ENCRYPTION_REQUIRED),
    ("MAIL", "550 5.7.10 Encryption needed", Code.SMTP_ENCRYPTION_REQUIRED),
    ("MAIL", "550 TLS encryption is required", Code.SMTP_ENCRYPTION_REQUIRED),
    ("RCPT", "554 5.7.1 Session encryption is required", Code.SMTP_ENCRYPTION_REQUIRED),
    ("MAIL", "530 5.7.1 Client was not authenticated", Code.SMTP_SIGN_IN_REQUIRED),
    (
        "MAIL",
        "530 5.7.57 SMTP; Client was not authenticated to send anonymous mail during MAIL FROM [AM0PR01CA0001]",
        Code.SMTP_SIGN_IN_REQUIRED,
    ),
    ("MAIL", "530 5.7.57 Client not authenticated to send mail.", Code.SMTP_SIGN_IN_REQUIRED),
    (
        "MAIL",
        "530-5.7.0 Authentication Required. For more information, go to\r\n"
        "530 5.7.0  https://support.google.com/mail/?p=WantAuthError d2-gsmtp",
        Code.SMTP_SIGN_IN_REQUIRED,
    ),
    ("MAIL", "530 Authentication required", Code.SMTP_SIGN_IN_REQUIRED),
    ("MAIL", "530 5.7.0 no", Code.SMTP_SIGN_IN_REQUIRED),
    ("MAIL", "550 Unauthenticated senders not allowed", Code.SMTP_SIGN_IN_REQUIRED),
    ("MAIL", "550 5.7.1 Authentication required", Code.SMTP_SIGN_IN_REQUIRED),
    ("MAIL", "503 AUTH first (#5.5.1)", Code.SMTP_SIGN_IN_REQUIRED),
    ("MAIL", "535 5.7.8 Authentication required", Code.SMTP_SIGN_IN_REQUIRED),
    (
        "RCPT",
        "503 This mail server requires authentication when attempting to send to a non-local e-mail address.",
        Code.SMTP_SIGN_IN_REQUIRED,
    ),
    (
        "RCPT",
        "553 5.7.1 <alerts@example.com>: Sender address rejected: not logged in",
        Code.SMTP_SIGN_IN_REQUIRED,
    ),
    # Relaying
    ("RCPT", "554 5.7.1 <ann@example.com>: Relay access denied", Code.SMTP_RELAY_DENIED),
    ("RCPT", "554 5.7.1 <ann@example.com>: Recipient address rejected: Relay access denied", Code.SMTP_RELAY_DENIED),
    ("RCPT", "550 5.7.1 Unable to relay", Code.SMTP_RELAY_DENIED),
    ("RCPT", "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain", Code.SMTP_RELAY_DENIED),
    ("RCPT", "550 5.7.64 TenantAttribution; Relay Access Denied", Code.SMTP_RELAY_DENIED),
    (
        "RCPT",
        "550 5.7.1 <ann@example.com>... Relaying denied. Proper authentication required.",
        Code.SMTP_RELAY_DENIED,
    ),
    ("RCPT", "550 relay not permitted", Code.SMTP_RELAY_DENIED),
    ("RCPT", "550 5.7.1 We do not relay", Code.SMTP_RELAY_DENIED),
    (
        "RCPT",
        "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
        Code.SMTP_RELAY_DENIED,
    ),
    (
        "MAIL",
        "550-5.7.1 Invalid credentials for relay [192.0.2.1]. The IP address you've\r\n"
        "550 5.7.1 registered doesn't match the domain of the account",
        Code.SMTP_RELAY_DENIED,
    ),
    # A sender that is not ours
    (
        "RCPT",
        "553 5.7.1 <alerts@example.com>: Sender address rejected: not owned by user ann@example.com",
        Code.SMTP_SENDER_NOT_OWNED,
    ),
    ("MAIL", "553 5.7.1 Sender address rejected: not owned by auth user.", Code.SMTP_SENDER_NOT_OWNED),
    ("MAIL", "553 Relaying disallowed as alerts@example.com", Code.SMTP_SENDER_NOT_OWNED),
    (
        "END",
        "550 5.7.60 SMTP; Client does not have permissions to send as this sender",
        Code.SMTP_SENDER_NOT_OWNED,
    ),
    (
        "END",
        "554 5.2.252 SendAsDenied; a@example.com not allowed to send as b@example.com; "
        "STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied",
        Code.SMTP_SENDER_NOT_OWNED,
    ),
    (
        "END",
        "554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied",
        Code.SMTP_SENDER_NOT_OWNED,
    ),
    (
        "END",
        "550 The from address does not match a verified Sender Identity. Mail cannot be sent until this error is "
        "resolved.",
        Code.SMTP_SENDER_NOT_OWNED,
    ),
    (
        "END",
        "554 Message rejected: Email address is not verified. The following identities failed the check in region "
        "US-EAST-1: alerts@example.com",
        Code.SMTP_SENDER_NOT_OWNED,
    ),
    (
        "MAIL",
        "550-Requested action not taken: mailbox unavailable\r\n550 Sender address is not allowed.",
        Code.SMTP_SENDER_NOT_OWNED,
    ),
    ("END", "550 5.7.0 From address is not one of your addresses.", Code.SMTP_SENDER_NOT_OWNED),
    ("END", "550 5.1.0 Sender is not allowed to send from example.com (R2)", Code.SMTP_SENDER_NOT_OWNED),
    ("END", "551 5.7.1 Not authorised to send from this header address", Code.SMTP_SENDER_NOT_OWNED),
    # Other refusals of the sender
    ("MAIL", "553 5.7.1 not your address", Code.SENDER_REFUSED),
    ("MAIL", "501 5.1.7 Bad sender address syntax", Code.SENDER_REFUSED),
    ("MAIL", "550 5.1.1 unknown", Code.SENDER_REFUSED),
    ("RCPT", "550 5.1.8 <alerts@example.com>: Sender address rejected: Domain not found", Code.SENDER_REFUSED),
    (
        "RCPT",
        "550 5.1.0 <alerts@example.com>: Sender address rejected: User unknown in virtual mailbox table",
        Code.SENDER_REFUSED,
    ),
    ("RCPT", "550-Verification failed for <alerts@example.com>\r\n550 Sender verify failed", Code.SENDER_REFUSED),
    (
        "END",
        "550-5.7.26 Unauthenticated email from example.com is not accepted due to domain's\r\n550 5.7.26 DMARC policy.",
        Code.SENDER_REFUSED,
    ),
    ("RCPT", "550 5.7.1 Message rejected due to SPF", Code.SENDER_REFUSED),
    ("MAIL", "550 5.7.30 Basic authentication is not supported for Client Submission.", Code.SMTP_DISABLED_BY_TENANT),
    # This host
    ("MAIL", "550 Access denied - Invalid HELO name (See RFC2821 4.1.1.1)", Code.SMTP_HOST_REFUSED),
    ("MAIL", "550 5.7.1 RBL Restriction", Code.SMTP_HOST_REFUSED),
    (
        "RCPT",
        "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org; "
        "https://www.spamhaus.org/query/ip/192.0.2.1",
        Code.SMTP_HOST_REFUSED,
    ),
    (
        "RCPT",
        "550-rejected because 192.0.2.1 is in a black list at zen.example.org\r\n550 Listed by CSS",  # Exim's
        Code.SMTP_HOST_REFUSED,
    ),
    ("RCPT", "550 5.7.1 Rejected: 192.0.2.1 listed at zen.example.org", Code.SMTP_HOST_REFUSED),
    ("RCPT", "550 2001:db8::1 is on our blocklist", Code.SMTP_HOST_REFUSED),
    (
        "MAIL",
        "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your Internet service "
        "provider since part of their network is on our block list (S3140).",
        Code.SMTP_HOST_REFUSED,
    ),
    ("RCPT", "554 5.7.1 Blocked - see https://ipcheck.proofpoint.com/?ip=192.0.2.1", Code.SMTP_HOST_REFUSED),
    (
        "MAIL",
        "553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.1, because the ip is in Spamhaus's list",
        Code.SMTP_HOST_REFUSED,
    ),
    ("RCPT", "553 5.3.0 <ann@example.com>... Spam blocked see: http://spamcop.net/bl.shtml", Code.SMTP_HOST_REFUSED),
    ("RCPT", "550 5.7.1 Your messages are sent from a dynamic IP address", Code.SMTP_HOST_REFUSED),
    # The domain of the sender, in a list of domains
    (
        "RCPT",
        "554 5.7.1 Service unavailable; Sender address [alerts@example.com] blocked using dbl.spamhaus.org",
        Code.SENDER_REFUSED,
    ),
    ("MAIL", "550 5.7.1 example.com is listed in dbl.spamhaus.org", Code.SENDER_REFUSED),
    ("RCPT", "550 5.7.1 Your domain example.com is on our blacklist", Code.SENDER_REFUSED),
    ("RCPT", "550 5.7.25 Client host rejected: cannot find your reverse hostname", Code.SMTP_HOST_REFUSED),
    ("RCPT", "504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname", Code.SMTP_HOST_REFUSED),
    ("MAIL", "550 5.7.606 Access denied, banned sending IP [192.0.2.1]", Code.SMTP_HOST_REFUSED),
    ("RCPT", "521 5.7.1 blocked", Code.SMTP_HOST_REFUSED),
    # Recipients
    ("RCPT", "550 5.1.1 <ann@example.com>: Recipient address rejected: User unknown", Code.RECIPIENTS_REFUSED),
    ("RCPT", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address", Code.RECIPIENTS_REFUSED),
    ("RCPT", "550 5.4.1 Recipient address rejected: Access denied.", Code.RECIPIENTS_REFUSED),
    ("RCPT", "550 #5.1.0 Address rejected.", Code.RECIPIENTS_REFUSED),
    ("RCPT", "550 sorry, no mailbox here by that name. (#5.1.1)", Code.RECIPIENTS_REFUSED),
    ("RCPT", "556 5.1.10 Recipient address has null MX", Code.RECIPIENTS_REFUSED),
    ("RCPT", "571 Delivery not authorized, message refused", Code.RECIPIENTS_REFUSED),
    ("END", "550 5.7.1 RESOLVER.RST.AuthRequired; authentication required", Code.RECIPIENTS_REFUSED),
    ("END", "550 5.1.1 no such user", Code.RECIPIENTS_REFUSED),
    ("END", "550 No such user here", Code.RECIPIENTS_REFUSED),
    ("RCPT", "552 5.2.2 <ann@example.com>: Mailbox full", Code.MAILBOX_FULL),
    ("RCPT", "552 Requested mail action aborted: exceeded storage allocation", Code.MAILBOX_FULL),
    ("RCPT", "554 <ann@example.com>: mailbox is over quota", Code.MAILBOX_FULL),
    ("END", "552 5.2.2 Quota exceeded (mailbox for user is full)", Code.MAILBOX_FULL),
    # The message
    ("DATA", "554 5.5.1 no", Code.MESSAGE_REFUSED),
    ("MAIL", "552 5.3.4 Message size exceeds fixed limit", Code.MESSAGE_REFUSED),
    ("END", "552 message size exceeds fixed maximum message size", Code.MESSAGE_REFUSED),
    ("END", "552 5.2.3 Message exceeds local size limit", Code.MESSAGE_REFUSED),
    ("END", "554 5.7.1 looks like spam", Code.MESSAGE_REFUSED),
    ("END", "554 5.7.1 [P4] Message blocked: contains a blacklisted URL", Code.MESSAGE_REFUSED),
    ("END", "554 5.7.1 Blocked, because a link in the message is listed in dbl.spamhaus.org", Code.MESSAGE_REFUSED),
    ("END", "550 5.4.5 Daily user sending quota exceeded.", Code.MESSAGE_REFUSED),
    # The protocol
    ("MAIL", "503 5.5.1 bad sequence of commands", Code.SMTP_PROTOCOL),
    ("DATA", "502 5.5.1 not implemented", Code.SMTP_PROTOCOL),
]
# The moment, the reply, the code, and whether the sentence speaks of greylisting.
TEMPORARY = [
    ("GREETING", "421 4.3.2 try later", Code.SMTP_TEMPORARY, False),
    ("GREETING", "421 4.7.0 Too many connections from 192.0.2.1", Code.SMTP_TEMPORARY, False),
    ("GREETING", "450 4.7.1 greylisted", Code.SMTP_TEMPORARY, False),
    ("EHLO", "451 4.3.0 later", Code.SMTP_TEMPORARY, False),
    ("MAIL", "451 4.7.1 greylisted", Code.SMTP_TEMPORARY, False),
    ("MAIL", "452 4.3.1 Insufficient system storage", Code.SMTP_TEMPORARY, False),
    ("RCPT", "450 4.2.0 <ann@example.com>: Recipient address rejected: Greylisted", Code.SMTP_TEMPORARY, True),
    ("RCPT", "451 4.7.1 Greylisting in action, please come back in 00:05:00", Code.SMTP_TEMPORARY, True),
    ("RCPT", "451 Temporarily rejected, try again later", Code.SMTP_TEMPORARY, True),
    ("RCPT", "450 4.3.2 Service currently unavailable", Code.SMTP_TEMPORARY, True),
    ("RCPT", "451 4.3.0 Temporary lookup failure", Code.SMTP_TEMPORARY, False),
    ("RCPT", "452 4.5.3 Too many recipients", Code.SMTP_TEMPORARY, False),
    ("RCPT", "450 4.1.1 Recipient address rejected: unverified address", Code.SMTP_TEMPORARY, False),
    ("RCPT", "450 4.1.8 Sender address rejected: Domain not found", Code.SMTP_TEMPORARY, False),
    ("RCPT", "421 4.3.2 shutting down", Code.SMTP_TEMPORARY, False),
    ("DATA", "451 4.7.1 try again later", Code.SMTP_TEMPORARY, True),
    ("END", "451 4.7.1 Try again later", Code.SMTP_TEMPORARY, True),
    ("END", "452 4.3.1 disk full", Code.SMTP_TEMPORARY, False),
    ("END", "454 Throttling failure: Maximum sending rate exceeded.", Code.SMTP_TEMPORARY, False),
    (
        "RCPT",
        "450 4.1.2 <ann@exmaple.cmo>: Recipient address rejected: Domain not found",
        Code.RECIPIENTS_REFUSED,
        False,
    ),
    ("RCPT", "450 4.2.1 The user is receiving mail too quickly", Code.SMTP_TEMPORARY, False),
    ("RCPT", "452-4.2.2 The recipient's inbox is out of storage space.", Code.MAILBOX_FULL, False),
    ("RCPT", "454 4.7.1 <ann@example.com>: Relay access denied", Code.SMTP_RELAY_DENIED, False),
    ("RCPT", "450 4.7.25 Client host rejected: cannot find your hostname", Code.SMTP_HOST_REFUSED, False),
    ("MAIL", "450 4.7.1 Session encryption is required", Code.SMTP_ENCRYPTION_REQUIRED, False),
]


def replying(moment: str, reply: str) -> Script:
    """Return the script of a server that gives this reply: to HELO too where it is a reply to EHLO."""
    last_line = reply if reply[3:4] != "-" or "\r\n" in reply else f"{reply}\r\n{reply[:3]} end"
    return {moment: last_line} | ({"HELO": last_line} if moment == "EHLO" else {})


@pytest.mark.parametrize(("moment", "reply", "code"), PERMANENT)
def test_a_permanent_refusal_names_its_cause(moment: str, reply: str, code: Code, message: EmailMessage) -> None:
    failure = failure_from(replying(moment, reply), message)
    assert (failure.code, failure.facts.status) == (code, int(reply[:3]))
    assert not failure.may_retry
    assert not MEANINGS[code].may_have_arrived


@pytest.mark.parametrize(("moment", "reply", "code", "is_greylisting"), TEMPORARY)
def test_a_delay_is_tried_again_and_names_its_cause(
    moment: str, reply: str, code: Code, is_greylisting: bool, message: EmailMessage
) -> None:
    failure = failure_from(replying(moment, reply), message)
    assert (failure.code, failure.facts.status) == (code, int(reply[:3]))
    assert failure.may_retry
    assert not MEANINGS[code].may_have_arrived
    assert ("greylisting" in failure.message) == is_greylisting


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ("451 4.7.1 later", "127.0.0.1 put the message off when Alertcheck named the recipients, perhaps because of "),
        ("452 4.5.3 later", "127.0.0.1 put the message off when Alertcheck named the recipients: 452 (4.5.3)."),
    ],
)
def test_the_sentence_of_a_delay_names_the_step(reply: str, words: str, message: EmailMessage) -> None:
    assert failure_from({"RCPT": reply}, message).message.startswith(words)


def test_one_permanent_refusal_decides_when_all_recipients_are_refused(message: EmailMessage) -> None:
    failure = failure_from({"RCPT": ["450 4.2.0 later", "550 5.1.1 no", "450 4.2.0 later"]}, message)
    assert (failure.code, failure.facts.status, failure.facts.token) == (Code.RECIPIENTS_REFUSED, 550, "5.1.1")


def test_a_server_that_is_shutting_down_after_a_recipient_has_got_nothing(message: EmailMessage) -> None:
    failure = failure_from({"RCPT": ["250 ok", "421 4.3.2 shutting down"]}, message)
    assert (failure.code, failure.may_retry) == (Code.SMTP_TEMPORARY, True)


def test_530_without_known_words_asks_for_the_encryption_that_the_server_offers(message: EmailMessage) -> None:
    failure = failure_from({"EHLO": OFFERS_TLS, "MAIL": "530 5.7.0 erst sichern"}, message)
    assert failure.code is Code.SMTP_ENCRYPTION_REQUIRED


@pytest.mark.parametrize("words", ["relay access denied", "must issue a STARTTLS command first", "mailbox full"])
def test_the_servers_own_words_are_never_shown(words: str, message: EmailMessage) -> None:
    failure = failure_from({"RCPT": f"554 5.7.1 {words}"}, message)
    assert words not in f"{failure.message} {failure.facts}"


@pytest.mark.parametrize(
    "address", ["relay-access-denied@example.com", "mailbox.full@example.com", "not.owned.by@example.com"]
)
def test_words_inside_an_address_are_not_the_servers(address: str, message: EmailMessage) -> None:
    failure = failure_from({"RCPT": f"550 <{address}>: no"}, message, (address,))
    assert failure.code is Code.RECIPIENTS_REFUSED


# With encryption or a sign-in in place


@pytest.mark.parametrize(
    ("reply", "code", "may_retry"),
    [
        ("454 4.7.0 TLS not available due to local problem", Code.SMTP_TLS_UNAVAILABLE, True),
        ("454 TLS not available", Code.SMTP_TLS_UNAVAILABLE, True),
        ("454 4.3.0 Try again later", Code.SMTP_TEMPORARY, True),
        ("421 4.3.2 shutting down", Code.SMTP_TEMPORARY, True),
        ("501 5.5.4 Syntax error", Code.SMTP_TLS_UNAVAILABLE, False),
        ("502 5.5.1 Not implemented", Code.SMTP_TLS_UNAVAILABLE, False),
        ("554 5.7.3 Unable to initialize security subsystem", Code.SMTP_TLS_UNAVAILABLE, False),
    ],
)
def test_a_refused_starttls_is_about_the_encryption_and_never_greylisting(
    reply: str, code: Code, may_retry: bool, message: EmailMessage
) -> None:
    with mail_server({"EHLO": OFFERS_TLS, "STARTTLS": reply}) as receiver:
        server = replace(plain(receiver), security=MailSecurity.STARTTLS)
        failure = failure_of(lambda: send_mail(server, message, THREE))
    assert (failure.code, failure.may_retry) == (code, may_retry)
    assert "greylisting" not in failure.message


@pytest.mark.parametrize(
    ("moment", "reply", "code"),
    [
        ("MAIL", "530 5.7.0 Authentication required", Code.SENDER_REFUSED),
        ("MAIL", "550 5.7.1 Encryption required", Code.SENDER_REFUSED),
        ("RCPT", "554 5.7.1 Relay access denied", Code.SMTP_RELAY_DENIED),
        ("RCPT", "553 5.7.1 Sender address rejected: not logged in", Code.SENDER_REFUSED),
    ],
)
def test_a_cure_that_is_already_in_place_is_not_recommended(
    moment: str, reply: str, code: Code, message: EmailMessage, authority: trustme.CA, ca_file: str
) -> None:
    script: Script = {"EHLO": offering("PLAIN"), moment: reply}
    with mail_server(script, server_context(authority)) as receiver:
        failure = failure_of(lambda: send_mail(signing_in(receiver, ca_file), message, THREE))
    assert failure.code is code


# The next step, followed


def follow(failure: DeliveryFailed, words: str) -> None:
    """Check that the next step tells the administrator to do what the test does next."""
    assert "your Alertcheck administrator" in MEANINGS[failure.code].next_step
    assert words in MEANINGS[failure.code].next_step


def test_with_the_encryption_that_the_next_step_names_the_server_accepts(
    message: EmailMessage, authority: trustme.CA, ca_file: str
) -> None:
    must_encrypt = "530 5.7.0 Must issue a STARTTLS command first"
    with mail_server({"EHLO": OFFERS_TLS, "MAIL": [must_encrypt, "250 ok"]}, server_context(authority)) as receiver:
        follow(failure_of(lambda: send_mail(plain(receiver), message, THREE)), "smtp+starttls://")
        server = replace(plain(receiver), security=MailSecurity.STARTTLS, ca_file=ca_file)
        assert send_mail(server, message, THREE).status == 250


def test_with_the_user_and_password_that_the_next_step_names_the_server_accepts(
    message: EmailMessage, authority: trustme.CA, ca_file: str
) -> None:
    script: Script = {
        "EHLO": "250-mail.example\r\n250-STARTTLS\r\n250 AUTH PLAIN",
        "RCPT": ["554 5.7.1 Relay access denied", "250 ok"],
    }
    with mail_server(script, server_context(authority)) as receiver:
        failure = failure_of(lambda: send_mail(plain(receiver), message, THREE[:1]))
        follow(failure, "user and a password")
        assert send_mail(signing_in(receiver, ca_file), message, THREE[:1]).status == 250


def test_with_the_senders_address_that_the_next_step_names_the_server_accepts(message: EmailMessage) -> None:
    not_owned = "553 5.7.1 Sender address rejected: not owned by user"
    with mail_server({"MAIL": [not_owned, "250 ok"]}) as receiver:
        follow(failure_of(lambda: send_mail(plain(receiver), message, THREE)), "ALERTCHECK_MAIL_FROM")
        server = replace(plain(receiver), sender="desk@example.com")
        assert send_mail(server, message, THREE).status == 250
        assert "desk@example.com" in receiver.commands[-6]
