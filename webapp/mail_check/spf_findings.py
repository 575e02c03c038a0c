"""What the page says about SPF: a sentence for each way in which it can be wrong."""

from collections.abc import Iterator
from dataclasses import dataclass

from webapp.mail_check.answers import Address, LookupStatus, quote_record
from webapp.mail_check.findings import Level, MailFinding, describe_failed_lookup
from webapp.mail_check.lookups import Lookups
from webapp.mail_check.sending_addresses import ENTER_ADDRESS, ServerFacts, join_addresses
from webapp.mail_check.spf import SpfCause, SpfOutcome, SpfResult, evaluate_spf
from webapp.mail_check.spf_records import find_lookalike, select_spf_records
from webapp.mail_check.spf_style import judge_style
from webapp.mail_check.spf_suggestions import extend_record, suggest_record
from webapp.mail_check.spf_troubles import describe_trouble


@dataclass(frozen=True)
class SpfFacts:
    """What was found. status: of the query for the record. records: all that begin so.

    lookalike: a record that was meant as one. results: for each address. whole: for an address that no term matches,
    so it shows whether the record can be read to its end; None if there is not one record.
    """

    domain: str
    status: LookupStatus
    records: tuple[str, ...] = ()
    lookalike: str | None = None
    results: tuple[tuple[Address, SpfResult], ...] = ()
    whole: SpfResult | None = None

    @property
    def passes(self) -> bool | None:
        """Whether SPF passes for every address; None if that is not known."""
        if self.status.is_failure or any(_is_unknown(result) for _, result in self.results):
            return None
        if len(self.records) == 1 and not self.results:
            return None
        return bool(self.results) and all(result.outcome is SpfOutcome.PASS for _, result in self.results)


def find_spf(lookups: Lookups, domain: str, addresses: tuple[Address, ...]) -> SpfFacts:
    """Find the SPF record of the sender's domain, and evaluate it for the mail server's addresses."""
    answer = lookups.find_texts(domain)
    records = tuple(select_spf_records(answer.values))
    if len(records) != 1:
        return SpfFacts(domain, answer.status, records, find_lookalike(answer.values))
    results = tuple((address, evaluate_spf(lookups, domain, address)) for address in addresses)
    return SpfFacts(domain, answer.status, records, None, results, evaluate_spf(lookups, domain, None))


def judge_spf(facts: SpfFacts, server: ServerFacts) -> list[MailFinding]:
    """Say whether the mail server may send for the domain, and what is wrong with the record."""
    domain = facts.domain
    if facts.status is LookupStatus.NO_DOMAIN:
        sentence = f"{domain} does not exist in the DNS, so many receivers refuse mail from it."
        return [MailFinding(Level.PROBLEM, sentence, "Correct ALERTCHECK_MAIL_FROM, or have the domain set up.")]
    if facts.status.is_failure:
        return [describe_failed_lookup(facts.status, f"the TXT records of {domain}", domain)]
    if len(facts.records) > 1:
        sentence = f"{domain} has {len(facts.records)} SPF records, so receivers ignore all of them (permerror)."
        return [MailFinding(Level.PROBLEM, sentence, "Merge them into one TXT record, and delete the others.")]
    if not facts.records:
        return [_describe_missing(facts, server)]
    return [*_judge_troubles(facts), *_judge_results(facts), *judge_style(domain, facts.records[0])]


def _describe_missing(facts: SpfFacts, server: ServerFacts) -> MailFinding:
    if facts.lookalike is not None:
        sentence = (
            f"{facts.domain} has a TXT record that looks like SPF, but receivers ignore it, because it does not begin "
            f"with “v=spf1” and a blank: “{quote_record(facts.lookalike)}”."
        )
        return MailFinding(Level.PROBLEM, sentence, "Correct the beginning of that TXT record.")
    sentence = f"{facts.domain} has no SPF record, so receivers cannot tell whether your mail server may send for it."
    next_step = (
        f"Add this TXT record to {facts.domain}. If other servers send for it too, name them in the same record:"
    )
    return MailFinding(Level.PROBLEM, sentence, next_step, suggest_record(server))


def _judge_troubles(facts: SpfFacts) -> Iterator[MailFinding]:
    """Describe each trouble once. One that the mail server's addresses do not meet does not affect them."""
    met = [result.trouble for _, result in facts.results if result.trouble]
    for trouble in dict.fromkeys(met):
        yield describe_trouble(trouble, facts.domain, is_met=True)
    later = facts.whole.trouble if facts.whole else None
    if later and later.cause not in {trouble.cause for trouble in met}:
        yield describe_trouble(later, facts.domain, is_met=not facts.results)


def _judge_results(facts: SpfFacts) -> Iterator[MailFinding]:
    """Describe what each outcome means, for all addresses that have it."""
    if not facts.results and facts.whole and facts.whole.trouble is None:
        sentence = (
            f"The SPF record of {facts.domain} can be read, but whether it allows your mail server is not known, "
            "because no public address of that is known."
        )
        yield MailFinding(Level.NOTE, sentence, ENTER_ADDRESS)
    by_result: dict[SpfResult, list[Address]] = {}
    for address, result in facts.results:
        if result.trouble is None:
            by_result.setdefault(result, []).append(address)
    for result, addresses in by_result.items():
        yield _describe_result(result, facts, tuple(addresses))


def _describe_result(result: SpfResult, facts: SpfFacts, addresses: tuple[Address, ...]) -> MailFinding:
    named, matched, domain = join_addresses(addresses), quote_record(result.matched), facts.domain
    if not result.is_certain:
        skipped = ", ".join(f"“{quote_record(term)}”" for term in result.unevaluated[:3])
        sentence = (
            f"Whether SPF passes for {named} is not known: {skipped} depends on each mail and was not evaluated. "
            f"Without that, the result is {result.outcome}."
        )
        step = "Send yourself a mail, and look for spf= in its header Authentication-Results."
        return MailFinding(Level.NOTE, sentence, step)
    if result.outcome is SpfOutcome.PASS:
        return MailFinding(Level.OK, f"SPF passes for {named}: “{matched}” lets it send for {domain}.")
    step = (
        f"If this is the address that receivers see, replace the SPF record of {domain} with this one, which allows it:"
    )
    record = extend_record(facts.records[0], addresses)
    if result.outcome is SpfOutcome.NEUTRAL:
        why = f"“{matched}” says nothing about it" if matched else "no term names it, and the record has no “all”"
        sentence = f"SPF is neutral for {named}: {why}. For receivers, that is as if there were no SPF record."
        return MailFinding(Level.PROBLEM, sentence, step, record)
    if result.outcome is SpfOutcome.SOFTFAIL:
        sentence = (
            f"SPF says softfail for {named}: “{matched}” says that it probably may not send for {domain}. Many "
            "receivers put such mail into the spam folder."
        )
        return MailFinding(Level.PROBLEM, sentence, step, record)
    sentence = (
        f"SPF fails for {named}: “{matched}” says that it may not send for {domain}. Many receivers refuse such mail."
    )
    return MailFinding(Level.PROBLEM, sentence, step, record)


def _is_unknown(result: SpfResult) -> bool:
    is_failure = result.trouble is not None and result.trouble.cause is SpfCause.FAILED_LOOKUP
    return is_failure or not result.is_certain
