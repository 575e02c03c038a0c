"""The SMTP receiver: each recipient's address selects its behavior."""

import asyncio
import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from aiosmtpd.smtp import SMTP, Envelope, Session

from webapp.demo.receiver.inbox import Arrival
from webapp.demo.receiver.inboxes import Inboxes
from webapp.demo.receiver.messages.parsing import find_reference
from webapp.demo.receiver.scenarios import (
    Attempts,
    Mailbox,
    MailReply,
    Service,
    mailbox_of,
    reply_to_mail,
    reply_to_recipient,
)
from webapp.demo.receiver.switches import name_recipient

HOST = "127.0.0.1"
LARGEST_MESSAGE = 64 * 1024
IDLE_SECONDS = 30


async def listen_for_mail(port: int, inboxes: Inboxes) -> asyncio.Server:
    """Listen on loopback in the running event loop. Raises `OSError` if the port is in use."""
    loop = asyncio.get_running_loop()
    # aiosmtpd would look up a default host name, which blocks where there is no name server.
    connection = partial(
        SMTP,
        MailHandler(inboxes),
        data_size_limit=LARGEST_MESSAGE,
        enable_SMTPUTF8=True,
        hostname="demo.receiver",
        ident="demo receiver",
        timeout=IDLE_SECONDS,
        loop=loop,
    )
    return await loop.create_server(connection, HOST, port)


class MailHandler:
    """Replies as the recipients select and keeps the messages in the inbox. aiosmtpd defines the method names."""

    def __init__(self, inboxes: Inboxes) -> None:
        self._inboxes = inboxes
        self._attempts = Attempts()

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        mailbox = self._find_mailbox(address)
        reply = reply_to_recipient(mailbox)
        if reply.accepts:
            envelope.rcpt_tos.append(address)
        else:
            self._keep(envelope, mailbox, reply, recipients=(address,))
        return str(reply)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        body = content.decode(errors="replace")
        reference = find_reference(Service.EMAIL, body)
        mailboxes = [self._find_mailbox(address) for address in envelope.rcpt_tos]
        mailbox = Mailbox.BUSY_TWICE if Mailbox.BUSY_TWICE in mailboxes else mailboxes[0]
        reply = reply_to_mail(mailbox, self._attempts.count(reference or hashlib.sha256(content).hexdigest()))
        self._keep(envelope, mailbox, reply, recipients=tuple(envelope.rcpt_tos), body=body, reference=reference)
        return str(reply)

    def _find_mailbox(self, address: str) -> Mailbox:
        inbox = self._inboxes.find_for_recipient(address)
        if inbox is None:
            return Mailbox.UNKNOWN
        return inbox.switches.find(name_recipient(address), Mailbox) or mailbox_of(address)

    def _keep(
        self,
        envelope: Envelope,
        mailbox: Mailbox,
        reply: MailReply,
        *,
        recipients: tuple[str, ...],
        body: str = "",
        reference: str | None = None,
    ) -> None:
        arrival = Arrival(
            service=Service.EMAIL,
            scenario=mailbox,
            answered=reply.code,
            accepted=reply.accepts,
            reference=reference,
            headers={"mail-from": envelope.mail_from or ""},
            body=body,
            recipients=recipients,
        )
        self._add(arrival, recipients)

    def _add(self, arrival: Arrival, recipients: tuple[str, ...]) -> None:
        """Add a message to each inbox once, with the recipients there."""
        found = [(self._inboxes.find_for_recipient(address), address) for address in recipients]
        for inbox in dict.fromkeys(inbox for inbox, _ in found if inbox):
            own = tuple(address for other, address in found if other == inbox)
            inbox.add(replace(arrival, recipients=own), datetime.now(UTC))
