"""What a mail to a person says, and who composes it.

The layers above compose: each kind of mail has a `Composer`. A worker hands all of them to `sending` beside this.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from html import escape

from webapp.app_state import current_settings
from webapp.models import AccountMail, AccountMailKind
from webapp.outbound import MailServer
from webapp.outbound.smtp.composition import compose_mail

# Characters of a name in a subject.
MAX_NAME_IN_SUBJECT = 60


@dataclass(frozen=True)
class MailSection:
    """A part of a mail about one thing of several. link: the address of its page, which is not secret, or None."""

    title: str
    paragraphs: tuple[str, ...]
    link: str | None = None


@dataclass(frozen=True)
class MailContent:
    """What a mail says. link: the address that its button leads to, which is secret, or None.

    sections: between the paragraphs and the link.
    """

    subject: str
    title: str
    paragraphs: tuple[str, ...]
    link: str | None = field(default=None, repr=False)
    link_label: str = ""
    after_link: tuple[str, ...] = ()
    sections: tuple[MailSection, ...] = ()


@dataclass(frozen=True)
class Composer:
    """Composes one kind of mail. Both functions use the caller's transaction, and neither commits.

    find_recipient: returns the address, or None if there is nothing to send any more. It sets the mail's `account_id`
        if only the address was known.
    compose: makes the token of the link, stores its hash, and returns what the mail says; None as above.
    """

    find_recipient: Callable[[AccountMail], str | None]
    compose: Callable[[AccountMail, datetime], MailContent | None]


Composers = Mapping[AccountMailKind, Composer]


def make_page_address(path: str) -> str:
    """Return the address of a page for a mail: below ALERTCHECK_PUBLIC_URL, whatever a request says."""
    return f"{current_settings().links.public_url}{path}"


def format_utc(moment: datetime) -> str:
    """Return a time for a mail, whose readers may be in any time zone: "2026-05-04 11:30 UTC"."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def write_mail(
    content: MailContent, server: MailServer, recipient: str, message_id: str, now: datetime
) -> EmailMessage:
    """Return the message that is sent."""
    text, html = _write_text(content), _write_html(content)
    return compose_mail(server, [recipient], content.subject, now, message_id, text, html)


def _write_text(content: MailContent) -> str:
    link = [f"{content.link_label}:\n{content.link}"] if content.link else []
    sections = [
        "\n".join([section.title, *section.paragraphs, *([section.link] if section.link else [])])
        for section in content.sections
    ]
    return "\n\n".join([content.title, *content.paragraphs, *sections, *link, *content.after_link]) + "\n"


def _write_html(content: MailContent) -> str:
    link = [f'<p><a href="{escape(content.link)}">{escape(content.link_label)}</a></p>'] if content.link else []
    before, after = (_write_paragraphs(texts) for texts in (content.paragraphs, content.after_link))
    sections = [_write_section(section) for section in content.sections]
    body = "".join([f"<h1>{escape(content.title)}</h1>", *before, *sections, *link, *after])
    return f'<!doctype html><html lang="en"><body>{body}</body></html>\n'


def _write_section(section: MailSection) -> str:
    title = escape(section.title)
    linked = f'<a href="{escape(section.link)}">{title}</a>' if section.link else title
    return "".join([f"<h2>{linked}</h2>", *_write_paragraphs(section.paragraphs)])


def _write_paragraphs(texts: tuple[str, ...]) -> list[str]:
    return [f"<p>{escape(text)}</p>" for text in texts]
