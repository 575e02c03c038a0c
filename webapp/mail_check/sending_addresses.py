"""What the DNS says about the mail server that Alertcheck connects to: from which addresses it may send."""

from dataclasses import dataclass

from webapp.mail_check.answers import Address
from webapp.mail_check.findings import Level, MailFinding, describe_failed_lookup
from webapp.mail_check.lookups import Lookups
from webapp.mail_check.mx import HostFacts, find_host
from webapp.outbound.policy.public_networks import is_allowed

# Addresses of the mail server that SPF is evaluated for.
MAX_ADDRESSES = 8

ENTER_ADDRESS = (
    "Ask your mail administrator which public address it sends from, enter that under “Sending address”, and check "
    "again."
)


@dataclass(frozen=True)
class ServerFacts:
    """The mail server. sending: the address that the administrator typed, because the server sends from there."""

    host: str
    found: HostFacts
    sending: Address | None = None

    @property
    def public(self) -> tuple[Address, ...]:
        """The public addresses that receivers may see: the typed one, or else those that Alertcheck may connect to."""
        addresses = self.found.addresses if self.sending is None else (self.sending,)
        return tuple(address for address in addresses if is_allowed(address))[:MAX_ADDRESSES]


def find_server(lookups: Lookups, host: str, sending: Address | None) -> ServerFacts:
    """Look up the mail server, unless the address that it sends from is known."""
    return ServerFacts(host, HostFacts(host) if sending else find_host(lookups, host), sending)


def judge_server(facts: ServerFacts) -> list[MailFinding]:
    """Say which addresses are compared with SPF, and that the true ones may be others."""
    if facts.sending is not None:
        return [_judge_typed(facts.sending, is_public=bool(facts.public))]
    if facts.found.status.is_failure:
        return [describe_failed_lookup(facts.found.status, f"the addresses of {facts.host}", facts.host)]
    if not facts.found.addresses:
        sentence = f"The name servers know no address of {facts.host}, so the address that receivers see is not known."
        return [MailFinding(Level.NOTE, sentence, ENTER_ADDRESS)]
    if not facts.public:
        has = "is a private address" if facts.found.literal else "has a private address"
        named = "" if facts.found.literal else f" ({join_addresses(facts.found.addresses)})"
        sentence = f"{facts.host} {has}{named}. Receivers see another one, which cannot be found out from here."
        return [MailFinding(Level.NOTE, sentence, ENTER_ADDRESS)]
    which = "the address" if len(facts.public) == 1 else "the addresses"
    sentence = (
        f"SPF is compared with {which} that Alertcheck connects to: {join_addresses(facts.public)}. A relay or "
        "smarthost may send from another one."
    )
    return [MailFinding(Level.NOTE, sentence, f"If yours does: {ENTER_ADDRESS[:1].lower()}{ENTER_ADDRESS[1:]}")]


def join_addresses(addresses: tuple[Address, ...]) -> str:
    """Return addresses as a sentence names them."""
    return ", ".join(map(str, addresses[:MAX_ADDRESSES]))


def _judge_typed(sending: Address, *, is_public: bool) -> MailFinding:
    if is_public:
        return MailFinding(Level.OK, f"SPF is compared with {sending}, which you entered.")
    sentence = f"{sending} is a private address, which no receiver sees."
    return MailFinding(Level.PROBLEM, sentence, "Enter the public address that your mail server sends from.")
