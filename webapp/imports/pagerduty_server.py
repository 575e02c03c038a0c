"""Takes the server of PagerDuty from the address to which other tools post events."""

from webapp.imports.receiver_draft import Draft

_PATH = "/v2/enqueue"


def set_server(draft: Draft) -> None:
    """Replace the address of the events with that of its server."""
    if "server" in draft.settings:
        draft.settings["server"] = draft.settings["server"].rstrip("/").removesuffix(_PATH)
