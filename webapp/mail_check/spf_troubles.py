"""Why receivers cannot evaluate an SPF record, in sentences."""

from webapp.mail_check.answers import quote_record
from webapp.mail_check.findings import Level, MailFinding, describe_failed_lookup
from webapp.mail_check.spf import MAX_EXCHANGERS, MAX_LOOKUPS, SpfCause, SpfTrouble

_GIVES_UP = "Receivers give up there (permerror)."
_BEFORE = "Your mail server is matched before that. For other senders, receivers give up there (permerror)."


def describe_trouble(trouble: SpfTrouble, domain: str, *, is_met: bool) -> MailFinding:
    """Say what is wrong. is_met: whether receivers meet it when they check the mail server's own addresses."""
    where, term = quote_record(trouble.domain), quote_record(trouble.term)
    if trouble.cause is SpfCause.FAILED_LOOKUP:
        what = f"what “{term}” in the SPF record of {where} leads to" if term else f"the SPF record of {where}"
        return describe_failed_lookup(trouble.status, what, where)
    sentence, next_step = _describe(trouble, where, term)
    if where != domain and trouble.cause in _OF_OTHERS:
        next_step = f"Ask whoever runs {where} to correct it, or remove what leads there from the record of {domain}."
    return MailFinding(
        Level.PROBLEM if is_met else Level.NOTE, f"{sentence} {_GIVES_UP if is_met else _BEFORE}", next_step
    )


# Where the domain of somebody else is at fault.
_OF_OTHERS = frozenset({SpfCause.INVALID, SpfCause.SEVERAL, SpfCause.EXCHANGERS, SpfCause.VOID_LOOKUPS})


def _describe(trouble: SpfTrouble, where: str, term: str) -> tuple[str, str]:
    match trouble.cause:
        case SpfCause.INVALID:
            sentence = f"The SPF record of {where} cannot be read: “{term}” {trouble.reason}."
            return sentence, "Correct that term."
        case SpfCause.SEVERAL:
            return f"{where} has several SPF records.", "Merge them into one TXT record, and delete the others."
        case SpfCause.LOOKUPS:
            sentence = (
                f"The SPF record needs more than {MAX_LOOKUPS} DNS lookups; “{term}” in the record of {where} is one "
                "too many."
            )
            return sentence, (
                "Remove the include:, a and mx terms of servers that no longer send for you, or replace them with ip4: "
                "and ip6:."
            )
        case SpfCause.VOID_LOOKUPS:
            sentence = (
                f"More than two terms of the SPF record lead to names that have nothing; the last one is “{term}”."
            )
            return sentence, "Remove the terms whose names no longer exist."
        case SpfCause.EXCHANGERS:
            sentence = f"“{term}” in the SPF record of {where} leads to more than {MAX_EXCHANGERS} mail servers."
            return sentence, "Replace it with ip4: and ip6: with the addresses of your servers."
        case SpfCause.LOOP:
            sentence = f"The SPF record of {where} leads back to itself by include: or redirect=."
            return sentence, "Remove the include: or redirect= that leads back."
    sentence = f"“{term}” leads to {where}, which has no SPF record."
    return sentence, "Correct the name, or remove the term."
