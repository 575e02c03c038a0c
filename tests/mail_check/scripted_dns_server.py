"""A name server on the loopback interface, over UDP and TCP, that answers from a zone, or misbehaves as scripted."""

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from threading import Event, Thread

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rrset
from dns.rdatatype import RdataType

from webapp.mail_check.lookups import NameServer


class Misbehavior(Enum):
    """What the server does instead of answering from its zone. WRONG_ID_FIRST sends the true answer afterwards."""

    SERVFAIL = "servfail"
    REFUSED = "refused"
    SILENCE = "silence"
    TRUNCATED = "truncated"
    TRUNCATED_ON_TCP_TOO = "truncated on tcp too"
    GARBAGE = "garbage"
    GARBAGE_ON_TCP = "garbage on tcp"
    WRONG_ID = "wrong id"
    WRONG_ID_FIRST = "wrong id first"
    OTHER_QUESTION = "other question"


# An alias of an alias of ... is followed this far.
MAX_ALIASES = 20

Key = tuple[str, str]


@dataclass
class ScriptedDnsServer:
    """zone: lines such as "example.com MX 10 mail.example.com.". misbehaving: by "name" or "name TYPE".

    queries: what was asked, as "name TYPE", and by which transport.
    """

    zone: dict[Key, list[str]]
    misbehaving: dict[str, Misbehavior]
    port: int = 0
    queries: list[tuple[str, str]] = field(default_factory=list)

    @property
    def name_server(self) -> NameServer:
        """Where it listens."""
        return NameServer("127.0.0.1", self.port)

    def respond(self, wire: bytes, transport: str) -> list[bytes]:
        """Return the messages to send for a query, in their order."""
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True).lower(), RdataType.to_text(question.rdtype)
        self.queries.append((f"{name} {kind}", transport))
        what = self.misbehaving.get(f"{name} {kind}") or self.misbehaving.get(name)
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        return self._misbehave(what, response, name, kind, transport)

    def _misbehave(
        self, what: Misbehavior | None, response: dns.message.Message, name: str, kind: str, transport: str
    ) -> list[bytes]:
        truncated = {"udp": (Misbehavior.TRUNCATED, Misbehavior.GARBAGE_ON_TCP), "tcp": ()}[transport]
        if what in truncated or what is Misbehavior.TRUNCATED_ON_TCP_TOO:
            response.flags |= dns.flags.TC
            return [response.to_wire()]
        match what:
            case Misbehavior.SILENCE:
                return []
            case Misbehavior.GARBAGE | Misbehavior.GARBAGE_ON_TCP:
                return [b"\xff\x00garbage" * 3]
            case Misbehavior.SERVFAIL:
                response.set_rcode(dns.rcode.SERVFAIL)
                return [response.to_wire()]
            case Misbehavior.REFUSED:
                response.set_rcode(dns.rcode.REFUSED)
                return [response.to_wire()]
            case Misbehavior.OTHER_QUESTION:
                response.question[0].name = dns.name.from_text("other.example.")
                return [response.to_wire()]
        self._answer(response, name, kind)
        wire = response.to_wire(max_size=65535)
        wrong = struct.pack("!H", response.id ^ 0xFFFF) + wire[2:]
        if what is Misbehavior.WRONG_ID:
            return [wrong]
        return [wrong, wire] if what is Misbehavior.WRONG_ID_FIRST else [wire]

    def _answer(self, response: dns.message.Message, name: str, kind: str) -> None:
        for _ in range(MAX_ALIASES):
            alias = self.zone.get((name, "CNAME"))
            if alias is None:
                break
            response.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "CNAME", *alias))
            name = alias[0].lower().removesuffix(".")
        if found := self.zone.get((name, kind)):
            response.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", kind, *found))
        elif not any(owner == name or owner.endswith(f".{name}") for owner, _ in self.zone):
            response.set_rcode(dns.rcode.NXDOMAIN)


def read_zone(text: str) -> dict[Key, list[str]]:
    """Read a zone, one record a line."""
    zone: dict[Key, list[str]] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, kind, data = line.split(maxsplit=2)
        zone.setdefault((name, kind), []).append(data)
    return zone


@contextmanager
def serve_dns(zone: str, misbehaving: dict[str, Misbehavior] | None = None) -> Iterator[ScriptedDnsServer]:
    """Run a name server until the block ends."""
    server, over = ScriptedDnsServer(read_zone(zone), misbehaving or {}), Event()
    udp, tcp = _listen()
    server.port = udp.getsockname()[1]
    threads = [Thread(target=_serve_udp, args=(udp, server, over)), Thread(target=_serve_tcp, args=(tcp, server, over))]
    for thread in threads:
        thread.start()
    try:
        yield server
    finally:
        over.set()
        for thread in threads:
            thread.join()
        udp.close()
        tcp.close()


def _listen() -> tuple[socket.socket, socket.socket]:
    """Return sockets for UDP and TCP at the same port, which the system chooses."""
    while True:
        udp, tcp = socket.socket(type=socket.SOCK_DGRAM), socket.socket(type=socket.SOCK_STREAM)
        udp.bind(("127.0.0.1", 0))
        with suppress(OSError):
            tcp.bind(udp.getsockname())
            tcp.listen()
            for listener in (udp, tcp):
                listener.settimeout(0.02)
            return udp, tcp
        udp.close()
        tcp.close()


def _serve_udp(listener: socket.socket, server: ScriptedDnsServer, over: Event) -> None:
    while not over.is_set():
        with suppress(TimeoutError):
            wire, client = listener.recvfrom(65535)
            for message in server.respond(wire, "udp"):
                listener.sendto(message, client)


def _serve_tcp(listener: socket.socket, server: ScriptedDnsServer, over: Event) -> None:
    while not over.is_set():
        with suppress(TimeoutError, OSError):
            connection, _ = listener.accept()
            with connection, connection.makefile("rb") as reader:
                connection.settimeout(2)
                (size,) = struct.unpack("!H", reader.read(2))
                for message in server.respond(reader.read(size), "tcp"):
                    connection.sendall(struct.pack("!H", len(message)) + message)
