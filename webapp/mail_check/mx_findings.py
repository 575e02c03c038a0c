"""What the page says about where the mail of a domain goes."""

from collections.abc import Iterator

from webapp.mail_check.answers import Address, LookupStatus, quote_record
from webapp.mail_check.findings import Level, MailFinding, describe_failed_lookup
from webapp.mail_check.mx import HostFacts, MxFacts
from webapp.mail_check.sending_addresses import join_addresses
from webapp.outbound.policy.public_networks import is_allowed

_ASK = "Check the spelling. If it is right, ask whoever runs {domain} to correct its DNS."


def judge_mx(facts: MxFacts) -> list[MailFinding]:
    """Say whether mail to the domain can be delivered, as far as the DNS tells."""
    domain = facts.domain
    if facts.status is LookupStatus.NO_DOMAIN:
        sentence = f"{domain} does not exist, so mail to it cannot be delivered."
        return [MailFinding(Level.PROBLEM, sentence, "Check the spelling of the domain.")]
    if facts.status.is_failure:
        return [describe_failed_lookup(facts.status, f"the MX records of {domain}", domain)]
    if facts.itself is not None:
        return _judge_implicit(domain, facts.itself)
    if facts.is_null:
        return [_describe_null(domain, is_alone=not facts.hosts)]
    return _judge_hosts(facts)


def _describe_null(domain: str, *, is_alone: bool) -> MailFinding:
    if is_alone:
        sentence = f"{domain} accepts no mail: it has a null MX record."
        return MailFinding(Level.PROBLEM, sentence, "Use an address of another domain.")
    sentence = (
        f"{domain} has a null MX record, which says that it accepts no mail, beside others that name mail servers."
    )
    return MailFinding(
        Level.PROBLEM, sentence, f"Ask whoever runs {domain} to remove the null MX record (“0 .”), or the others."
    )


def _judge_implicit(domain: str, itself: HostFacts) -> list[MailFinding]:
    if itself.status.is_failure:
        what = f"the addresses of {domain}, which has no MX record"
        return [describe_failed_lookup(itself.status, what, domain)]
    if not itself.addresses:
        sentence = f"{domain} has neither an MX record nor an address, so mail to it cannot be delivered."
        return [MailFinding(Level.PROBLEM, sentence, _ASK.format(domain=domain))]
    unreachable = _describe_unreachable(itself.addresses)
    if unreachable:
        sentence = f"{domain} has no MX record, and itself {unreachable}, which senders on the internet cannot reach."
        return [MailFinding(Level.PROBLEM, sentence, f"Ask whoever runs {domain} to add an MX record.")]
    sentence = f"{domain} has no MX record, so mail goes to {domain} itself ({join_addresses(itself.addresses)})."
    next_step = f"If no mail server runs there, ask whoever runs {domain} to add an MX record."
    return [MailFinding(Level.NOTE, sentence, next_step)]


def _judge_hosts(facts: MxFacts) -> list[MailFinding]:
    usable = [host for host in facts.hosts if _is_usable(host)]
    found = [finding for host in facts.hosts for finding in _judge_host(facts.domain, host, is_only=not usable)]
    if usable:
        names = ", ".join(quote_record(host.host) for host in usable)
        found.insert(0, MailFinding(Level.OK, f"Mail to {facts.domain} goes to {names}."))
    if facts.left_out:
        which = "1 more mail server was" if facts.left_out == 1 else f"{facts.left_out} more mail servers were"
        found.append(MailFinding(Level.NOTE, f"{facts.domain} has many MX records: {which} not looked up."))
    return found


def _is_usable(host: HostFacts) -> bool:
    return host.literal is None and any(is_allowed(address) for address in host.addresses)


def _judge_host(domain: str, host: HostFacts, *, is_only: bool) -> Iterator[MailFinding]:
    """Describe what is wrong with one host. is_only: whether no other host takes the mail."""
    level, name = Level.PROBLEM if is_only else Level.NOTE, quote_record(host.host)
    if host.literal is not None:
        sentence = f"An MX record of {domain} names the IP address {host.literal}. It has to name a host."
        step = f"Ask whoever runs {domain} to name a host there that has this address."
        yield MailFinding(level, sentence, step)
    elif host.status.is_failure:
        yield describe_failed_lookup(host.status, f"the addresses of {name}, a mail server of {domain}", domain)
    elif not host.addresses:
        what = "does not exist" if host.status is LookupStatus.NO_DOMAIN else "has no address"
        sentence = f"An MX record of {domain} names {name}, which {what}."
        yield MailFinding(level, sentence, f"Ask whoever runs {domain} to correct the MX record.")
    else:
        unreachable = _describe_unreachable(host.addresses)
        if unreachable:
            sentence = (
                f"An MX record of {domain} names {name}, which {unreachable}. Senders on the internet cannot reach it."
            )
            step = f"If {domain} gets mail from outside, ask whoever runs it to name a host with a public address."
            yield MailFinding(level, sentence, step)
    if host.is_alias:
        sentence = f"An MX record of {domain} names {name}, which is an alias (CNAME). Some senders refuse that."
        step = f"Ask whoever runs {domain} to name the host that the alias leads to."
        yield MailFinding(Level.NOTE, sentence, step)


def _describe_unreachable(addresses: tuple[Address, ...]) -> str | None:
    """Return what is wrong with the addresses if senders on the internet can reach none of them."""
    if any(is_allowed(address) for address in addresses):
        return None
    is_loopback = all(address.is_loopback for address in addresses)
    return f"has {'a loopback' if is_loopback else 'a private'} address ({join_addresses(addresses)})"
