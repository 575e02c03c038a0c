"""Checks in the DNS what mail of this installation needs, and returns it in sections of a page."""

from collections.abc import Iterable
from dataclasses import dataclass

from webapp.mail_check.answers import Address
from webapp.mail_check.dmarc import find_dmarc
from webapp.mail_check.dmarc_findings import judge_dkim, judge_dmarc
from webapp.mail_check.findings import Level, MailFinding, find_worst
from webapp.mail_check.lookups import Lookups
from webapp.mail_check.mx import find_mx
from webapp.mail_check.mx_findings import judge_mx
from webapp.mail_check.sending_addresses import find_server, judge_server
from webapp.mail_check.spf_findings import find_spf, judge_spf
from webapp.outbound import MailServer

# Domains of accounts that are looked up.
MAX_DOMAINS = 10


@dataclass(frozen=True)
class Section:
    """One part of the report."""

    title: str
    findings: tuple[MailFinding, ...]

    @property
    def level(self) -> Level:
        """The level of its worst finding."""
        return find_worst(self.findings)


def find_sender_domain(server: MailServer) -> str:
    """Return the domain that mail of this installation is sent for."""
    return server.sender.rpartition("@")[2]


def check_sender(lookups: Lookups, server: MailServer, sending: Address | None) -> list[Section]:
    """Check SPF, DMARC and the way back to the sender. sending: where the mail server sends from, or None."""
    domain = find_sender_domain(server)
    server_facts = find_server(lookups, server.host, sending)
    spf = find_spf(lookups, domain, server_facts.public)
    dmarc = find_dmarc(lookups, domain)
    return [
        Section("Mail server", tuple(judge_server(server_facts))),
        Section(f"SPF of {domain}", tuple(judge_spf(spf, server_facts))),
        Section(f"DMARC of {domain}", tuple(judge_dmarc(dmarc, domain, spf.passes))),
        Section("DKIM", tuple(judge_dkim(domain, dmarc))),
        Section(f"Replies and bounces to {domain}", tuple(judge_mx(find_mx(lookups, domain)))),
    ]


def check_recipients(lookups: Lookups, domains: Iterable[str]) -> list[Section]:
    """Check where the mail of domains goes."""
    return [Section(f"Mail to {domain}", tuple(judge_mx(find_mx(lookups, domain)))) for domain in domains]
