"""Every combination of a channel and a code: its sentence, its next step, and what they claim."""

import re
from datetime import UTC, datetime

import pytest

from webapp.channels import CHANNELS
from webapp.channels.contract import Channel
from webapp.channels.fields import FieldKind
from webapp.deliveries.badge import next_step
from webapp.failures import MEANINGS, Code, Facts, Protocol, codes_of, describe

HOST = "hooks.example.com"
FACTS = Facts(
    host=HOST,
    status=404,
    seconds=5,
    token="no_service",
    reference="K7QF",
    target="new.example.com",
    wait=3600,
    wait_until=datetime(2026, 11, 28, 15, tzinfo=UTC),
)

# What happens inside Alertcheck, before or without a connection to any host.
WITHOUT_A_HOST = {
    Code.URL_INVALID,
    Code.CONFIG_INCOMPLETE,
    Code.CONFIG_UNREADABLE,
    Code.RECIPIENT_INVALID,
    Code.QUEUE_UNAVAILABLE,
    Code.NOT_STARTED,
    Code.WORKER_LOST,
    Code.DESTINATION_DISABLED,
    Code.DESTINATION_DELETED,
    Code.DESTINATION_CHANGED,
    Code.SUPERSEDED,
    Code.INTERNAL_ERROR,
}
COMBINATIONS = [
    pytest.param(name, code, id=f"{name}-{code}")
    for name, channel in CHANNELS.items()
    for code in sorted(channel.codes)
]
IN_A_SERVICE = [
    pytest.param(name, code, id=f"{name}-{code}")
    for name, channel in CHANNELS.items()
    if channel.hosts
    for code in sorted(channel.codes - WITHOUT_A_HOST)
]
SENTENCE = re.compile(r"[A-Z“].*[.?…=]", re.DOTALL)

# What tells people about an address that they copied from a service.
COPIED_ADDRESS = re.compile("whole address|address is complete|its address|enter the address", re.IGNORECASE)
OF_A_SERVER = [
    pytest.param(name, code, id=f"{name}-{code}")
    for name, channel in CHANNELS.items()
    if channel.target_field.kind is FieldKind.SERVER
    for code in sorted(channel.codes)
]

every_combination = pytest.mark.parametrize(("name", "code"), COMBINATIONS)
every_channel = pytest.mark.parametrize("channel", CHANNELS.values(), ids=CHANNELS)


@pytest.mark.parametrize(("name", "code"), OF_A_SERVER)
def test_a_channel_with_a_server_gives_no_advice_about_an_address(name: str, code: Code) -> None:
    assert not COPIED_ADDRESS.search(next_step(code, name))


@every_combination
def test_the_sentence_names_the_host_where_there_is_one(name: str, code: Code) -> None:
    sentence = describe(code, FACTS)
    assert sentence.endswith(".")
    assert (HOST in sentence) == (code not in WITHOUT_A_HOST)
    assert re.search(r"far end|[Tt]he receiver|unknown host", sentence) is None


@every_combination
def test_the_next_step_is_an_instruction(name: str, code: Code) -> None:
    step = next_step(code, name)
    assert SENTENCE.fullmatch(step)
    assert "far end" not in step
    assert len(step) <= 500


@every_combination
def test_what_may_have_arrived_is_checked_before_another_test_and_never_retried(name: str, code: Code) -> None:
    meaning = MEANINGS[code]
    asks_to_check = "before you send another test" in next_step(code, name)
    assert asks_to_check == meaning.may_have_arrived
    assert not (meaning.may_retry and meaning.may_have_arrived)


@pytest.mark.parametrize(("name", "code"), IN_A_SERVICE)
def test_a_services_next_step_does_not_ask_anyone_to_mend_its_servers(name: str, code: Code) -> None:
    assert code in CHANNELS[name].hints
    assert re.search(r"[Tt]he receiver|the provider|log of", next_step(code, name)) is None


@every_channel
def test_a_channel_has_hints_for_its_own_codes_only(channel: Channel) -> None:
    assert set(channel.hints) <= channel.codes


@every_channel
def test_a_channels_words_lead_to_its_own_codes_with_a_hint(channel: Channel) -> None:
    assert set(channel.words.values()) <= channel.codes & set(channel.hints)


def test_every_code_belongs_to_a_protocol() -> None:
    assert frozenset[Code]().union(*map(codes_of, Protocol)) == set(Code)


def test_no_code_of_a_mail_server_belongs_to_http_nor_one_of_http_to_mail() -> None:
    assert not [code for code in codes_of(Protocol.HTTP) if code.startswith("smtp")]
    assert codes_of(Protocol.SMTP).isdisjoint({Code.NOT_FOUND, Code.REDIRECT_REFUSED, Code.HOST_NOT_EXPECTED})
