"""Collects the headers and the authorization of a webhook."""

from webapp.channels.webhook_headers import may_be_set
from webapp.imports.file_values import Node, get_text
from webapp.imports.placeholders import is_reference
from webapp.imports.receiver_draft import Draft

LEFT_OUT = "Headers that Alertcheck sets itself or never sends, such as Content-Type, are left out."


def add_header(draft: Draft, name: str, value: str, prefix: str = "") -> None:
    """Add a line to the headers. Without its value, the headers count as missing; the other lines are kept."""
    if not may_be_set(name):
        draft.note(LEFT_OUT)
        return
    if not value or is_reference(value):
        draft.missing.add("headers")
        draft.note("The value of a header is not in the file. Enter all headers again.")
        return
    line = " ".join(f"{name.strip()}: {prefix}{value}".split("\n"))
    draft.settings["headers"] = "\n".join(filter(None, (draft.settings.get("headers"), line)))


def add_authorization(draft: Draft, scheme: str, credentials: Node) -> None:
    """Add the header Authorization: a bearer token has a field of its own."""
    if scheme.lower() in ("", "bearer"):
        draft.put("bearer_token", credentials)
    elif credentials is not None:
        add_header(draft, "Authorization", get_text(credentials), f"{scheme} ")
