"""A mail server on a real socket that replies to each command by a script, even against the protocol."""

import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Thread

HANG_UP = "hang up"
KEEP_SILENT = "keep silent"
NEVER_END = "never end"
STOP_MIDWAY = "stop midway"

DEFAULT_REPLIES = {
    "GREETING": "220 mail.example ESMTP",
    "EHLO": "250 mail.example",
    "STARTTLS": "220 go ahead",
    "AUTH": "235 2.7.0 welcome",
    "MAIL": "250 2.1.0 ok",
    "RCPT": "250 2.1.5 ok",
    "DATA": "354 go on",
    "END": "250 2.0.0 queued",
    "QUIT": "221 2.0.0 bye",
}


@dataclass(frozen=True)
class After:
    """A reply that comes after some seconds."""

    seconds: float
    reply: str


ScriptedReply = str | After

# Maps a command (or GREETING, or END for the end of the data) to its reply, or to a list of successive replies.
# "AUTH PLAIN" comes before "AUTH". A client's response to 334 gets the next reply of the same list.
Script = Mapping[str, ScriptedReply | Sequence[ScriptedReply]]


@dataclass
class ScriptedMailServer:
    """Records the commands of all connections in order, and the bytes of each message.

    at_once: TLS from the first byte.
    """

    script: dict[str, ScriptedReply | list[ScriptedReply]]
    tls: ssl.SSLContext | None = None
    at_once: bool = False
    port: int = 0
    commands: list[str] = field(default_factory=list)
    messages: list[bytes] = field(default_factory=list)
    over: Event = field(default_factory=Event)

    @property
    def verbs(self) -> list[str]:
        """The first word of every command."""
        return [command.partition(" ")[0].upper() for command in self.commands]

    def serve(self, listener: socket.socket) -> None:
        """Serve one client after another until the listener is closed."""
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connection.settimeout(20)
                with suppress(OSError), ExitStack() as opened:
                    opened.enter_context(connection)
                    self._converse(self._encrypt(connection, opened) if self.at_once else connection, opened)

    def _encrypt(self, connection: socket.socket, opened: ExitStack) -> socket.socket:
        assert self.tls is not None
        return opened.enter_context(self.tls.wrap_socket(connection, server_side=True))

    def _converse(self, connection: socket.socket, opened: ExitStack) -> None:
        lines = opened.enter_context(connection.makefile("rb"))
        verb, continues = "GREETING", self._reply(connection, "GREETING")
        while continues and (line := lines.readline()):
            self.commands.append(line.decode("latin-1").strip())
            verb = self._moment_of(self.commands[-1]) if not self._last.startswith("334") else verb
            continues = self._reply(connection, verb)
            if verb == "STARTTLS" and self._last.startswith("220"):
                connection = self._encrypt(connection, opened)
                lines = opened.enter_context(connection.makefile("rb"))
            if verb == "DATA" and continues and self._last.startswith("354"):
                self._receive_message(lines)
                continues = self._reply(connection, "END")
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

    def _moment_of(self, command: str) -> str:
        mechanism = " ".join(command.upper().split()[:2])
        return mechanism if mechanism in self.script else command.partition(" ")[0].upper()

    def _receive_message(self, lines: Iterator[bytes]) -> None:
        message = b""
        for line in lines:
            if line == b".\r\n":
                break
            message += line
        self.messages.append(message)

    def _reply(self, connection: socket.socket, moment: str) -> bool:
        """Send the scripted reply; return whether the connection continues."""
        scripted = self.script.get(moment, "502 5.5.1 unknown")
        reply = scripted.pop(0) if isinstance(scripted, list) else scripted
        if isinstance(reply, After):
            self.over.wait(reply.seconds)
        self._last = reply.reply if isinstance(reply, After) else reply
        if self._last == HANG_UP:
            return False
        if self._last == KEEP_SILENT:
            self.over.wait(20)
            return False
        if self._last == STOP_MIDWAY:
            connection.sendall(b"250 2.0.0 que")
            self.over.wait(20)
            return False
        while self._last == NEVER_END and not self.over.wait(0.001):
            connection.sendall(b"250-and another thing\r\n")
        connection.sendall(self._last.encode("latin-1") + b"\r\n")
        return not self._last.startswith("421")


@contextmanager
def mail_server(
    script: Script | None = None, tls: ssl.SSLContext | None = None, at_once: bool = False
) -> Iterator[ScriptedMailServer]:
    """Run a server that follows the protocol except for the replies in `script`.

    at_once: TLS from the first byte.
    """
    replies = {
        moment: reply if isinstance(reply, str | After) else [*reply] for moment, reply in (script or {}).items()
    }
    server = ScriptedMailServer({**DEFAULT_REPLIES, **replies}, tls, at_once)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server.port = listener.getsockname()[1]
        Thread(target=server.serve, args=(listener,), daemon=True).start()
        try:
            yield server
        finally:
            server.over.set()
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
