"""Every channel's own messages, as the receiver stores and shows them. A new channel is covered automatically."""

import re
from dataclasses import replace

import pytest

from tests.channels.test_contract import DRILL, MESSAGE
from tests.channels.valid_settings import VALID_SETTINGS
from tests.demo.receiver.messages.test_parsing import received
from webapp.channels import CHANNELS
from webapp.channels.message import Message
from webapp.demo.receiver.messages.hidden_secrets import hide_secrets
from webapp.demo.receiver.messages.parsing import Unrecognized, find_reference, parse_message
from webapp.demo.receiver.scenarios import Service
from webapp.outbound import OutboundClient

every_service = pytest.mark.parametrize("service", [service for service in Service if service is not Service.EMAIL])


def compose(service: Service, message: Message = MESSAGE) -> str:
    """Return the first body that a channel sends. A preview has words instead of each secret: "(…, not shown)"."""
    message = replace(message, receipt_link="https://alertcheck.example.com/r/token")
    preview = CHANNELS[service].preview(VALID_SETTINGS[service], message, OutboundClient())
    return preview.parts[0].text


@every_service
def test_a_message_of_a_channel_is_stored_without_its_secrets(service: Service) -> None:
    assert "not shown)" not in hide_secrets(service, compose(service))


@every_service
def test_a_message_of_a_channel_is_recognized_with_its_reference(service: Service) -> None:
    body = hide_secrets(service, compose(service))
    assert not isinstance(parse_message(received(service, body)), Unrecognized)
    assert find_reference(service, body) == MESSAGE.reference


@every_service
def test_a_drill_of_a_channel_is_shown_as_one(service: Service) -> None:
    parsed = parse_message(received(service, hide_secrets(service, compose(service, DRILL))))

    assert not isinstance(parsed, Unrecognized)
    shown = re.sub(r"\\+", "", repr(parsed))
    assert "[TEST]" in shown
    assert "scheduled drill from acme" in shown.casefold()
