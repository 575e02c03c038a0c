"""Set-ups of DNS zones, most of them wrong. The sentences that they get are in `expected_sentences.txt`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address

from tests.mail_check.scripted_dns_server import Misbehavior, serve_dns
from webapp.mail_check.lookups import Lookups
from webapp.mail_check.report import Section, check_recipients, check_sender
from webapp.outbound import MailServer

Check = Callable[[Lookups], list[Section]]

SECONDS = 0.3


@dataclass(frozen=True)
class SetUp:
    """A zone and what is checked. section: the beginning of the title of the section that matters."""

    zone: str
    section: str
    check: Check
    misbehaving: dict[str, Misbehavior] = field(default_factory=dict)

    def run(self) -> Section:
        """Check it against a scripted name server."""
        with serve_dns(self.zone, self.misbehaving) as server:
            sections = self.check(Lookups([server.name_server], query_seconds=SECONDS))
        return next(section for section in sections if section.title.startswith(self.section))


def _sender(host: str = "mail.example.com", sender: str = "a@example.com", sending: str | None = None) -> Check:
    server = MailServer(host, 25, sender)
    return lambda lookups: check_sender(lookups, server, ip_address(sending) if sending else None)


def _zone(spf: str | None = '"v=spf1 ip4:11.22.33.44 -all"', dmarc: str | None = '"v=DMARC1; p=reject"') -> str:
    """Return the zone of a sender's domain, which is right unless told otherwise."""
    records = [f"example.com TXT {line}" for line in (spf or "").splitlines()]
    records += [f"_dmarc.example.com TXT {line}" for line in (dmarc or "").splitlines()]
    return "\n".join(
        [
            *records,
            "example.com MX 10 mx.example.com.",
            "mx.example.com A 11.22.33.50",
            "mail.example.com A 11.22.33.44",
            "relay.example.com A 10.0.0.5",
            "both.example.com A 11.22.33.44",
            "both.example.com AAAA 2a00:1450::1",
            "",
        ]
    )


def _spf(record: str, more: str = "", host: str = "mail.example.com", sending: str | None = None) -> SetUp:
    return SetUp(f"{_zone(record)}\n{more}", "SPF", _sender(host, sending=sending))


def _spf_text(text: str, more: str = "") -> SetUp:
    return _spf(f'"v=spf1 {text}"', more)


def _dmarc(
    record: str | None, spf: str | None = '"v=spf1 ip4:11.22.33.44 -all"', host: str = "mail.example.com"
) -> SetUp:
    return SetUp(_zone(spf, record), "DMARC", _sender(host))


def _mx(records: str, misbehaving: dict[str, Misbehavior] | None = None) -> SetUp:
    return SetUp(records, "Mail to", lambda lookups: check_recipients(lookups, ["example.org"]), misbehaving or {})


def _failing(name: str, what: Misbehavior, section: str) -> SetUp:
    return SetUp(_zone(), section, _sender(), {name: what})


_INCLUDES = "\n".join(f'i{number}.e.net TXT "v=spf1 -all"' for number in range(12))
_TEN = " ".join(f"include:i{number}.e.net" for number in range(10))
_MANY_MX = "\n".join(f"example.com MX {number} m{number}.example.com." for number in range(11, 22))

SET_UPS = {
    # SPF
    "spf passes": _spf_text("ip4:11.22.33.44 -all"),
    "spf passes in any case": _spf('"V=SPF1 IP4:11.22.33.44 -ALL"'),
    "spf passes by a": _spf_text("a:mail.example.com -all"),
    "spf passes by a with a prefix": _spf_text("a:mx.example.com/24 -all"),
    "spf passes by mx": _spf_text("mx/28 -all", "example.com MX 5 mail.example.com."),
    "spf passes by an include": _spf_text(
        "include:spf.example.net -all", 'spf.example.net TXT "v=spf1 ip4:11.22.33.0/24 -all"'
    ),
    "spf passes by a redirect": _spf_text(
        "redirect=spf.example.net", 'spf.example.net TXT "v=spf1 ip4:11.22.33.0/24 -all"'
    ),
    "spf passes from two strings": _spf('"v=spf1 ip4:11.22" ".33.44 -all"'),
    "spf passes for one of two addresses": _spf('"v=spf1 ip4:11.22.33.44 ~all"', host="both.example.com"),
    "spf passes for the typed address": _spf('"v=spf1 ip4:11.22.33.99 -all"', sending="11.22.33.99"),
    "spf fails": _spf_text("ip4:11.22.33.43 -all"),
    "spf fails by an include that does not match": _spf_text(
        "include:spf.example.net -all", 'spf.example.net TXT "v=spf1 ip4:11.22.34.0/24 -all"'
    ),
    "spf softfails": _spf_text("ip4:11.22.33.43 ~all"),
    "spf is neutral by ?all": _spf_text("?all"),
    "spf has no all": _spf_text("ip4:11.22.33.43"),
    "spf passes without all": _spf_text("ip4:11.22.33.44"),
    "spf passes everybody": _spf_text("+all"),
    "spf has terms behind all": _spf_text("ip4:11.22.33.44 -all include:spf.example.net"),
    "spf has a redirect beside all": _spf_text("ip4:11.22.33.44 redirect=spf.example.net -all"),
    "spf has ptr": _spf_text("ip4:11.22.33.44 ptr -all"),
    "spf depends on exists": _spf_text("exists:%{i}.spf.example.net -all"),
    "spf passes whatever exists says": _spf_text("exists:%{i}.spf.example.net ip4:11.22.33.44 -all"),
    "spf depends on a denying exists": _spf_text("-exists:%{i}.spf.example.net ip4:11.22.33.44 -all"),
    "spf depends on a macro": _spf_text("include:%{d}.spf.example.net -all"),
    "spf is missing": SetUp(_zone(None), "SPF", _sender()),
    "spf is missing and the server private": SetUp(_zone(None), "SPF", _sender("relay.example.com")),
    "spf is missing and the server has both versions": SetUp(_zone(None), "SPF", _sender("both.example.com")),
    "spf is right and the server private": _spf('"v=spf1 ip4:11.22.33.44 -all"', host="relay.example.com"),
    "spf is broken and the server private": _spf('"v=spf1 ip4:11.22.33.444 -all"', host="relay.example.com"),
    "spf is among other texts": _spf('"google-site-verification=abc"\n"v=spf1 ip4:11.22.33.44 -all"'),
    "spf is there twice": _spf('"v=spf1 -all"\n"v=spf1 ip4:11.22.33.44 -all"'),
    "spf begins wrong": _spf('"spf1 ip4:11.22.33.44 -all"'),
    "spf has a wrong version": _spf('"v=spf2.0/pra -all"'),
    "spf lacks a blank": _spf('"v=spf1;ip4:11.22.33.44 -all"'),
    "spf is in quotation marks": _spf(r'"\"v=spf1 -all\""'),
    "spf has an unknown mechanism": _spf_text("ipv4:11.22.33.44 -all"),
    "spf has an unknown word": _spf_text("mail.example.com -all"),
    "spf has a comma": _spf_text("ip4:11.22.33.44, ip4:11.22.33.45 -all"),
    "spf has an equals sign": _spf_text("ip4=11.22.33.44 -all"),
    "spf has a bad address": _spf_text("ip4:11.22.33.444 -all"),
    "spf has an address of the other version": _spf_text("ip4:2a00:1450::1 -all"),
    "spf has a bad prefix": _spf_text("ip4:11.22.33.44/33 -all"),
    "spf has a prefix that is too large": _spf_text("a/64 -all"),
    "spf has a netmask": _spf_text("ip4:11.22.33.44/255.255.255.0 -all"),
    "spf has an include of nothing": _spf_text("include: -all"),
    "spf has a colon behind all": _spf_text("ip4:11.22.33.44 all:x"),
    "spf has two redirects": _spf_text("redirect=a.example.com redirect=b.example.com"),
    "spf has odd bytes": _spf(r'"v=spf1 ip4:11.22.33.44 caf\233\000 -all"'),
    "spf has strings without a blank": _spf('"v=spf1 ip4:11.22.33.44" "-all"'),
    "spf includes itself": _spf_text("include:example.com -all"),
    "spf includes a loop": _spf_text("include:a.example.com -all", 'a.example.com TXT "v=spf1 redirect=example.com"'),
    "spf includes a domain without spf": _spf_text("include:mx.example.com -all"),
    "spf includes a domain that does not exist": _spf_text("include:gone.example.net -all"),
    "spf redirects to a domain without spf": _spf_text("redirect=mx.example.com"),
    "spf includes an invalid record": _spf_text("include:a.example.net -all", 'a.example.net TXT "v=spf1 foo:bar"'),
    "spf includes two records": _spf_text(
        "include:a.example.net -all", 'a.example.net TXT "v=spf1 -all"\na.example.net TXT "v=spf1 ?all"'
    ),
    "spf passes before it includes an invalid record": _spf_text(
        "ip4:11.22.33.44 include:a.example.net -all", 'a.example.net TXT "v=spf1 foo:bar"'
    ),
    "spf needs ten lookups": _spf_text(f"{_TEN} ip4:11.22.33.44 -all", _INCLUDES),
    "spf needs eleven lookups": _spf_text(f"{_TEN} a ip4:11.22.33.44 -all", _INCLUDES),
    "spf needs eleven lookups behind the match": _spf_text(f"ip4:11.22.33.44 {_TEN} a -all", _INCLUDES),
    "spf has two void lookups": _spf_text("a:x.example.com a:y.example.com ip4:11.22.33.44 -all"),
    "spf has three void lookups": _spf_text("a:x.example.com a:y.example.com a:z.example.com ip4:11.22.33.44 -all"),
    "spf has too many mail servers": _spf_text("mx -all", _MANY_MX),
    "spf cannot be looked up": _failing("example.com TXT", Misbehavior.SERVFAIL, "SPF"),
    "spf is not answered": _failing("example.com TXT", Misbehavior.SILENCE, "SPF"),
    "spf is refused": _failing("example.com TXT", Misbehavior.REFUSED, "SPF"),
    "spf is answered by garbage over tcp": _failing("example.com TXT", Misbehavior.GARBAGE_ON_TCP, "SPF"),
    "spf is truncated": _failing("example.com TXT", Misbehavior.TRUNCATED, "SPF"),
    "spf of an include cannot be looked up": SetUp(
        _zone('"v=spf1 include:a.example.net -all"') + "a.example.net A 11.22.33.1",
        "SPF",
        _sender(),
        {"a.example.net": Misbehavior.SERVFAIL},
    ),
    "the sender's domain does not exist": SetUp("example.net A 11.22.33.44", "SPF", _sender()),
    # The mail server
    "the mail server has a public address": SetUp(_zone(), "Mail server", _sender()),
    "the mail server has two addresses": SetUp(_zone(), "Mail server", _sender("both.example.com")),
    "the mail server is private": SetUp(_zone(), "Mail server", _sender("relay.example.com")),
    "the mail server is a private address": SetUp(_zone(), "Mail server", _sender("192.168.1.2")),
    "the mail server is not in the dns": SetUp(_zone(), "Mail server", _sender("smtp")),
    "the mail server cannot be looked up": _failing("mail.example.com", Misbehavior.SERVFAIL, "Mail server"),
    "the sending address is typed": SetUp(_zone(), "Mail server", _sender(sending="11.22.33.99")),
    "the typed sending address is private": SetUp(_zone(), "Mail server", _sender(sending="10.0.0.1")),
    # DMARC
    "dmarc rejects": _dmarc('"v=DMARC1; p=reject; rua=mailto:d@example.com"'),
    "dmarc rejects what spf does not pass": _dmarc('"v=DMARC1; p=reject"', '"v=spf1 -all"'),
    "dmarc quarantines what spf does not pass": _dmarc('"v=DMARC1;p=quarantine"', '"v=spf1 ~all"'),
    "dmarc rejects without spf": _dmarc('"v=DMARC1; p=reject"', None),
    "dmarc rejects and spf is not known": _dmarc('"v=DMARC1; p=reject"', host="relay.example.com"),
    "dmarc watches nobody": _dmarc('"v=DMARC1; p=none"'),
    "dmarc is strict": _dmarc('"v=DMARC1; p=reject; aspf=s; adkim=s"'),
    "dmarc is a test": _dmarc('"v=DMARC1; p=reject; t=y"'),
    "dmarc has a percentage": _dmarc('"v=DMARC1; p=quarantine; pct=20"'),
    "dmarc is missing": _dmarc(None),
    "dmarc is there twice": _dmarc('"v=DMARC1; p=none"\n"v=DMARC1; p=reject"'),
    "dmarc begins wrong": _dmarc('"v=dmarc1; p=none"'),
    "dmarc has no policy": _dmarc('"v=DMARC1; rua=mailto:d@example.com"'),
    "dmarc has an unknown policy": _dmarc('"v=DMARC1; p=block"'),
    "dmarc has an unknown policy for subdomains": _dmarc('"v=DMARC1; p=none; sp=all"'),
    "dmarc has a bad percentage": _dmarc('"v=DMARC1; p=none; pct=200"'),
    "dmarc has a bad alignment": _dmarc('"v=DMARC1; p=none; aspf=strict"'),
    "dmarc has reports without mailto": _dmarc('"v=DMARC1; p=none; rua=d@example.com"'),
    "dmarc has commas": _dmarc('"v=DMARC1; p=none; oops, what"'),
    "dmarc of the domain above applies": SetUp(
        _zone(dmarc='"v=DMARC1; p=none; sp=reject; rua=mailto:d@example.com"') + 'a.b.example.com TXT "v=spf1 -all"',
        "DMARC",
        _sender(sender="x@a.b.example.com"),
    ),
    "dmarc cannot be looked up": _failing("_dmarc.example.com", Misbehavior.SERVFAIL, "DMARC"),
    "dkim cannot be seen": SetUp(_zone(), "DKIM", _sender()),
    "dkim is strict": SetUp(_zone(dmarc='"v=DMARC1; p=reject; adkim=s"'), "DKIM", _sender()),
    "bounces have nowhere to go": SetUp(
        'example.com TXT "v=spf1 -all"', "Replies and bounces to example.com", _sender()
    ),
    # MX of a recipient
    "mx is right": _mx("example.org MX 10 mx.example.org.\nmx.example.org A 11.22.33.44"),
    "mx is null": _mx("example.org MX 0 ."),
    "mx is null beside others": _mx(
        "example.org MX 0 .\nexample.org MX 5 mx.example.org.\nmx.example.org A 11.22.33.4"
    ),
    "mx is implicit": _mx("example.org A 11.22.33.44"),
    "mx is implicit and private": _mx("example.org A 192.168.0.1"),
    "mx is missing without an address": _mx('example.org TXT "hello"'),
    "mx is an address": _mx("example.org MX 10 11.22.33.44."),
    "mx is an alias": _mx(
        "example.org MX 10 a.example.org.\na.example.org CNAME b.example.org.\nb.example.org A 11.22.33.4"
    ),
    "mx does not exist": _mx("example.org MX 10 gone.example.net."),
    "mx has no address": _mx('example.org MX 10 mx.example.org.\nmx.example.org TXT "hello"'),
    "mx is private": _mx("example.org MX 10 mx.example.org.\nmx.example.org A 10.1.2.3"),
    "mx is loopback": _mx("example.org MX 10 localhost.\nlocalhost A 127.0.0.1\nlocalhost AAAA ::1"),
    "one of two mx does not exist": _mx(
        "example.org MX 10 gone.example.net.\nexample.org MX 20 mx.example.org.\nmx.example.org A 11.22.33.44"
    ),
    "mx are many": _mx(
        "\n".join(
            f"example.org MX {number} m{number}.example.org.\nm{number}.example.org A 11.22.33.{number}"
            for number in range(10, 20)
        )
    ),
    "mx has only an IPv6 address": _mx("example.org MX 10 mx.example.org.\nmx.example.org AAAA 2a00:1450::1"),
    "mx of a domain that does not exist": _mx("example.net A 11.22.33.44"),
    "mx cannot be looked up": _mx("example.org A 11.22.33.44", {"example.org MX": Misbehavior.SERVFAIL}),
    "mx is not answered": _mx("example.org A 11.22.33.44", {"example.org": Misbehavior.SILENCE}),
    "mx is answered with a wrong id": _mx("example.org A 11.22.33.44", {"example.org": Misbehavior.WRONG_ID}),
    "mx host cannot be looked up": _mx(
        "example.org MX 10 mx.example.org.\nmx.example.org A 11.22.33.44", {"mx.example.org": Misbehavior.SERVFAIL}
    ),
    "mx has odd bytes": _mx(r"example.org MX 10 <script>\000.example.org."),
    "mx goes round": _mx("example.org CNAME a.example.org.\na.example.org CNAME example.org."),
}
