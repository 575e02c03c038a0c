"""Files as the parsers return them, for the tests of what becomes of them."""

from typing import Any

from webapp.imports.file_contents import FileFormat, FoundFile, FoundReceiver

SLACK = "https://hooks.slack.com/services/T000/B000/canary"
WEBHOOK = "https://hooks.example.com/canary-7f3a9c"


def slack(name: str = "ops", address: str = SLACK, **facts: Any) -> FoundReceiver:
    return FoundReceiver(name, "slack", {"address": address}, **facts)


def webhook(name: str = "tickets", address: str = WEBHOOK, **facts: Any) -> FoundReceiver:
    return FoundReceiver(name, "webhook", {"address": address}, **facts)


def incomplete(name: str = "hidden", channel: str = "slack", **facts: Any) -> FoundReceiver:
    """A receiver whose address is in another file."""
    return FoundReceiver(name, channel, missing=frozenset({"address"}), **facts)


def make_file(*receivers: FoundReceiver) -> FoundFile:
    return FoundFile(FileFormat.ALERTMANAGER, receivers)


# What the form of a webhook has chosen if nobody changes it.
CHOSEN = {"method": "POST", "body": "standard"}
