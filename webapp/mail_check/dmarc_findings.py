"""What the page says about DMARC and DKIM."""

from collections.abc import Iterator

from webapp.mail_check.answers import LookupStatus, quote_record
from webapp.mail_check.dmarc import DmarcFacts, DmarcInvalid, DmarcPolicy, DmarcRecord, parse_dmarc
from webapp.mail_check.findings import Level, MailFinding, describe_failed_lookup

_ASKS = {
    DmarcPolicy.NONE: "deliver mail that fails as any other",
    DmarcPolicy.QUARANTINE: "put mail that fails into the spam folder",
    DmarcPolicy.REJECT: "refuse mail that fails",
}
_BECOMES = {DmarcPolicy.QUARANTINE: "put into the spam folder", DmarcPolicy.REJECT: "refused"}


def judge_dmarc(facts: DmarcFacts, envelope_domain: str, spf_passes: bool | None) -> list[MailFinding]:
    """Say which policy applies, and what it means for mail of this installation.

    envelope_domain: of the envelope sender. spf_passes: None if that is not known.
    """
    record = _read(facts)
    if isinstance(record, MailFinding):
        return [record]
    policy = record.policy if facts.found_at == facts.domain else record.subdomains
    return [
        _describe_policy(facts, policy),
        *_describe_limits(record, policy),
        describe_alignment(facts.domain, envelope_domain, is_strict=record.is_strict_spf),
        *_describe_consequence(facts.domain, policy, spf_passes),
    ]


def describe_alignment(domain: str, envelope_domain: str, *, is_strict: bool) -> MailFinding:
    """Compare the domain of the header From with that of the envelope sender, which SPF is about."""
    rule = "strict alignment (aspf=s)" if is_strict else "relaxed alignment"
    if domain == envelope_domain:
        sentence = (
            f"Alertcheck names {domain} in the header From and as the envelope sender, so SPF is aligned. DMARC asks "
            f"for {rule}. A mail server that rewrites the envelope sender may end that."
        )
        return MailFinding(Level.OK, sentence)
    sentence = f"The header From names {domain}, but the envelope sender {envelope_domain}. DMARC asks for {rule}."
    return MailFinding(Level.PROBLEM, sentence, "Use one domain for both.")


def judge_dkim(domain: str, facts: DmarcFacts) -> list[MailFinding]:
    """Say that DKIM is the mail server's business, and how to see it."""
    record = _read(facts)
    exactly = " exactly" if isinstance(record, DmarcRecord) and record.is_strict_dkim else ""
    sentence = (
        "Whether your mail server signs with DKIM cannot be seen from here: the DNS shows a key only to whoever knows "
        "the selector in a signed mail."
    )
    next_step = (
        "Send yourself a mail, open its source, and look for dkim=pass in the header Authentication-Results, with"
        f"{exactly} {domain} behind header.d= or header.i=@. If it is missing, turn DKIM on at your mail server."
    )
    return [MailFinding(Level.NOTE, sentence, next_step)]


def _read(facts: DmarcFacts) -> DmarcRecord | MailFinding:
    """Return the record, or why there is none."""
    if facts.status is not LookupStatus.FOUND:
        return describe_failed_lookup(
            facts.status, f"the TXT records of _dmarc.{facts.failed_at}", facts.failed_at or facts.domain
        )
    where = f"_dmarc.{facts.found_at}"
    if len(facts.texts) > 1:
        sentence = f"{where} has {len(facts.texts)} DMARC records, so receivers ignore all of them."
        return MailFinding(Level.PROBLEM, sentence, "Delete all but one.")
    if not facts.texts:
        return _describe_missing(facts)
    try:
        return parse_dmarc(facts.texts[0])
    except DmarcInvalid as reason:
        sentence = f"The DMARC record at {where} cannot be used: it {reason}."
        return MailFinding(Level.PROBLEM, sentence, "Correct that part of the TXT record.")


def _describe_missing(facts: DmarcFacts) -> MailFinding:
    if facts.lookalike is not None:
        sentence = (
            f"_dmarc.{facts.domain} has a TXT record that looks like DMARC, but receivers ignore it, because it does "
            f"not begin with “v=DMARC1;”: “{quote_record(facts.lookalike)}”."
        )
        return MailFinding(Level.PROBLEM, sentence, "Correct the beginning of that TXT record.")
    sentence = (
        f"Neither {facts.domain} nor a domain above it has a DMARC record. Large mailbox providers expect one from "
        "whoever sends much mail."
    )
    return MailFinding(Level.NOTE, sentence, f"Add this TXT record to _dmarc.{facts.domain}:", '"v=DMARC1; p=none"')


def _describe_policy(facts: DmarcFacts, policy: DmarcPolicy) -> MailFinding:
    if facts.found_at == facts.domain:
        return MailFinding(Level.OK, f"DMARC of {facts.domain} asks receivers to {_ASKS[policy]} (p={policy}).")
    sentence = (
        f"{facts.domain} has no DMARC record of its own. That of {facts.found_at} applies to its "
        f"subdomains, and asks receivers to {_ASKS[policy]} ({policy})."
    )
    return MailFinding(Level.OK, sentence)


def _describe_limits(record: DmarcRecord, policy: DmarcPolicy) -> Iterator[MailFinding]:
    if policy is not DmarcPolicy.NONE and record.is_test:
        sentence = "The DMARC record says t=y, a test: receivers treat mail less strictly than the policy says."
        yield MailFinding(Level.NOTE, sentence, "Remove t=y once the reports show that your own mail passes.")
    if record.percentage < 100:
        sentence = (
            f"The DMARC record says pct={record.percentage}. Some receivers apply the policy to that share of the mail "
            "only, and others ignore it."
        )
        yield MailFinding(Level.NOTE, sentence, "Remove pct= from the record.")
    if policy is DmarcPolicy.NONE and not record.has_reports:
        sentence = "The policy none only watches, but the DMARC record says nobody to report to (rua=)."
        yield MailFinding(Level.NOTE, sentence, "Add rua=mailto: with an address that reads reports.")


def _describe_consequence(domain: str, policy: DmarcPolicy, spf_passes: bool | None) -> Iterator[MailFinding]:
    if policy is DmarcPolicy.NONE or spf_passes:
        return
    becomes = _BECOMES[policy]
    if spf_passes is None:
        sentence = (
            f"Whether SPF passes is not known. If it does not, mail is {becomes} unless DKIM signs it for {domain}."
        )
        yield MailFinding(Level.NOTE, sentence, "See below how to look at SPF and DKIM in a mail.")
        return
    sentence = (
        f"SPF does not pass (see above), so DMARC asks that mail be {becomes}, unless DKIM signs it for {domain}."
    )
    yield MailFinding(Level.PROBLEM, sentence, "Correct SPF as described above, or turn DKIM on at your mail server.")
