"""What is wrong with an SPF record although it can be read."""

from collections.abc import Iterator

from webapp.mail_check.answers import quote_record
from webapp.mail_check.findings import Level, MailFinding
from webapp.mail_check.spf_records import Mechanism, Qualifier, SpfInvalid, SpfRecord, parse_spf


def judge_style(domain: str, text: str) -> Iterator[MailFinding]:
    """Describe what the record says and should not. Nothing about one that cannot be read: that is a trouble."""
    try:
        record = parse_spf(text)
    except SpfInvalid:
        return
    yield from _judge_end(domain, record)
    if any(term.mechanism is Mechanism.PTR for term in record.terms):
        sentence = f"The SPF record of {domain} has “ptr”, which many receivers ignore."
        yield MailFinding(Level.NOTE, sentence, "Replace “ptr” with ip4: and ip6: with the addresses of your servers.")


def _judge_end(domain: str, record: SpfRecord) -> Iterator[MailFinding]:
    last = record.all_term
    if last is None:
        if record.redirect is None:
            sentence = f"The SPF record of {domain} has no “all”, so it says nothing about other senders."
            yield MailFinding(Level.NOTE, sentence, "Add “~all” to its end, or “-all” once you know all your servers.")
        return
    if last.qualifier is Qualifier.PASS:
        sentence = f"The SPF record of {domain} ends with “{last.text}”, which lets everybody send mail as {domain}."
        next_step = "Replace it with “~all”, or with “-all” once you know all your servers."
        yield MailFinding(Level.PROBLEM, sentence, next_step)
    ignored = [term.text for term in record.terms[record.terms.index(last) + 1 :]]
    ignored += [f"redirect={record.redirect}"] if record.redirect is not None else []
    if ignored:
        sentence = (
            f"The SPF record of {domain} has terms behind “all”, which nobody reads: {quote_record(' '.join(ignored))}."
        )
        yield MailFinding(Level.NOTE, sentence, f"Move them before “{last.text}”, or remove them.")
