"""The closed list of words that tell a reply's cause where its numbers cannot.

The words are those of Postfix, Exim, Sendmail, qmail, Exchange and Microsoft 365, Gmail, Amazon SES, SendGrid,
Mailgun, Brevo, Proofpoint, Yahoo, Zoho, Yandex, QQ, GMX and iCloud. They decide on the code only: no page shows them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from webapp.failures import Code
from webapp.outbound.smtp.steps import FROM_RECIPIENT, FROM_SENDER, Step

GREYLISTED = re.compile(r"gr[ea]y-?list")

_AT_SIGN_IN = frozenset({Step.SIGN_IN})
_BEFORE_THE_MESSAGE = frozenset({Step.GREETING, Step.HELLO, Step.SENDER, Step.RECIPIENT, Step.DATA})
_AFTER_HELLO = FROM_SENDER | _AT_SIGN_IN
_IN_ENVELOPE = frozenset({Step.SENDER, Step.RECIPIENT})

_IP_ADDRESS = r"(\d{1,3}(\.\d{1,3}){3}|[0-9a-f]{1,4}(:[0-9a-f]{0,4}){2,7})"


@dataclass(frozen=True)
class _Words:
    """The code for a text with these words, in lower case, in the reply at one of these steps."""

    code: Code
    steps: frozenset[Step]
    pattern: re.Pattern[str]


def _words(code: Code, steps: frozenset[Step], *alternatives: str) -> _Words:
    return _Words(code, steps, re.compile("|".join(alternatives)))


# The first match counts most, so that narrow words come before wide ones.
_LIST = (
    _words(Code.SMTP_AUTH_FAILED, _AT_SIGN_IN, "credentials were incorrect"),
    _words(
        Code.SMTP_APP_PASSWORD_REQUIRED,
        _AT_SIGN_IN,
        r"app(lication)?([ -]specific)? password",
        r"log ?in (with|via) your web browser",
        r"authori[sz]ation code",  # QQ's word for it
    ),
    _words(
        Code.SMTP_DISABLED_BY_TENANT,
        _AT_SIGN_IN,
        "smtpclientauthentication is disabled",
        "basic authentication is disabled",
    ),
    _words(Code.SMTP_AUTH_UNAVAILABLE, _AT_SIGN_IN, "mechanism is too weak", "unrecognized authentication type"),
    # Exchange: a mailbox or a group that only signed-in senders of the same organization may write to.
    _words(Code.RECIPIENTS_REFUSED, FROM_RECIPIENT, r"resolver\.rst\."),
    _words(
        Code.SMTP_ENCRYPTION_REQUIRED,
        _AFTER_HELLO,
        r"(issue|use|send|do) (a )?starttls",
        "starttls (command )?first",
        r"(starttls|tls|ssl|encryption|encrypted (session|connection))( encryption)?( is)? (required|needed|mandatory)",
        r"requires? (starttls|tls|ssl|(an )?encrypt)",
        "without (tls|ssl|encryption)",
        "connection is not (encrypted|secure)",
    ),
    # Zoho refuses a foreign sender with these words.
    _words(Code.SMTP_SENDER_NOT_OWNED, FROM_SENDER, "relaying disallowed as"),
    _words(
        Code.SMTP_RELAY_DENIED,
        FROM_SENDER,
        r"rela(y|ying) (access |is |was )?(denied|not (permitted|allowed)|prohibited|disallowed|refused)",
        "unable to relay",
        r"((do|does|will) not|don't|doesn't|won't|cannot|can't|not (permitted|allowed) to|no) relay",
        r"list of allowed rcpthosts",
        "credentials for relay",
        "relay traffic prohibited",
    ),
    _words(
        Code.SMTP_SIGN_IN_REQUIRED,
        FROM_SENDER,
        "not logged in",
        r"(client|sender|user|session)( was| is)? not authenticated",
        "unauthenticated senders not allowed",
        r"(authentication|authorization|smtp auth|login|sign-?in)( is| was)? (required|needed|necessary)",
        r"requires? (smtp )?(authentication|auth|a login)\b",
        r"(must|need to|have to|please) (first )?(be authenticated|authenticate|log ?in|sign in|auth)\b",
        r"\b(auth|authenticate|log ?in) first",
    ),
    _words(
        Code.SMTP_SENDER_NOT_OWNED,
        FROM_SENDER,
        "not owned by",
        "sendasdenied",
        r"not (allowed|authori[sz]ed|permitted) to (send|use) .{0,40}?(as|from|address)\b",
        r"permissions? to send (as|on behalf)",
        "not one of your addresses",
        "sender address (is )?not allowed",
        "verified sender",
        "(address|domain|identity) is not verified",
        r"(sender|from)( address)? .{0,40}?(does not|must|doesn't) match",
        "not local sender",
        r"not authorized to perform .?ses:",
    ),
    # Lists of domains, before those of hosts. After the message, they are about the links in it.
    _words(
        Code.SENDER_REFUSED,
        _IN_ENVELOPE,
        r"sender address\W+blocked",
        r"\b(dbl|rhsbl|surbl|uribl)\b",
        r"domain .{0,40}?(black|block) ?-?list",
    ),
    _words(
        Code.SMTP_HOST_REFUSED,
        _BEFORE_THE_MESSAGE | _AT_SIGN_IN,
        r"unauthori[sz]ed ip\b",
        r"\bip( address)? .{0,30}?not (authori[sz]ed|allowed|permitted|whitelisted)",
    ),
    _words(
        Code.SMTP_HOST_REFUSED,
        _BEFORE_THE_MESSAGE,
        rf"({_IP_ADDRESS}\S{{0,3}}|network) .{{0,60}}?((black|block) ?-?list|listed (at|by|in|on))",
        r"spamhaus|spamcop|barracudacentral|uceprotect|\babusix|ipcheck",
        r"dynamic ip\b",
        "client host",
        "blocked using",
        r"\b(helo|ehlo)\b .{0,20}?(rejected|refused|invalid|denied)|(invalid|bad) (helo|ehlo)\b",
        r"\b(rbl|dnsbl)\b",
        "not authorized to send email directly",
        r"banned sending ip|\bip( address)? .{0,60}?(block|black|deny|ban)",
        r"(reverse|ptr) (dns|hostname|lookup|record)",
        r"(your|this) (host|ip|server) .{0,40}?(not allowed|denied|rejected|refused|block|black|ban)",
    ),
    _words(
        Code.SENDER_REFUSED,
        FROM_SENDER,
        r"sender( address| domain| verify)? (was |is |has been )?(rejected|denied|refused|failed|invalid|unknown)",
        "(invalid|bad|unknown) sender",
        "domain of sender",
        r"\b(spf|dkim|dmarc)\b",
    ),
    # The limit of the account that sends, not of the mailbox that gets the message.
    _words(Code.MESSAGE_REFUSED, FROM_SENDER, r"(daily|hourly|sending|message|submission) .{0,20}?(quota|limit|rate)"),
    _words(
        Code.MAILBOX_FULL,
        FROM_RECIPIENT,
        r"(mailbox|inbox|maildir|user) .{0,20}?(is full|full\b|exceed|too large)",
        "mailbox full",
        r"\b(over|out of|insufficient) (the )?(disk )?(quota|storage)\b",
        r"quota (has been |is |was )?(exceeded|full|reached)",
        r"exceeded .{0,40}?quota",
        r"(over|out of|insufficient) .{0,20}?quota",
    ),
    _words(
        Code.RECIPIENTS_REFUSED,
        FROM_RECIPIENT,
        "user unknown|unknown (user|recipient|mailbox)",
        r"no (such )?(user|recipient|mailbox)( by that name| here|$| )",
        r"(recipient|mailbox|user|address)( address)? (was |is )?(rejected|unavailable|not found|invalid|unknown)",
        r"does(n't| not) exist",
    ),
)


def recognize(step: Step, text: str) -> Iterator[Code]:
    """Return the codes for the words of the list that a normalized text has, the narrowest words first."""
    return (words.code for words in _LIST if step in words.steps and words.pattern.search(text))
