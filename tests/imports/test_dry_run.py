"""The dry run: each receiver is judged with the channel's own checks, and without any network."""

from dataclasses import replace
from time import process_time
from typing import Any

import pytest
from cryptography.fernet import Fernet

from tests.imports.found_files import CHOSEN, SLACK, WEBHOOK, incomplete, slack, webhook
from webapp.channels import CHANNELS
from webapp.destinations.same_places import find_place
from webapp.encryption.settings_cipher import SettingsCipher
from webapp.imports.dry_run import RENAMED, UNTAGGED, DryRunRow, Judge, RowState, Typed
from webapp.imports.file_contents import FoundReceiver, Unusable
from webapp.imports.file_limits import MAX_RECEIVERS
from webapp.imports.row_names import name_rows
from webapp.outbound import OutboundClient
from webapp.text.names import MAX_NAME_LENGTH


def _refuse_to_resolve(*_arguments: Any) -> Any:
    raise AssertionError("a name was looked up")


OUTBOUND = OutboundClient(resolver=_refuse_to_resolve)
JUDGE = Judge(OUTBOUND, SettingsCipher([Fernet.generate_key().decode()], "fingerprints"), {})
SECRET = "whsec_" + "QUxFUlRDSEVDSy1DQU5BUlktU0lHTklORy1LRVk="


def judge(*receivers: FoundReceiver, typed: Typed | None = None) -> list[DryRunRow]:
    return JUDGE.judge(receivers, typed)


def states(*receivers: FoundReceiver) -> list[RowState]:
    return [row.state for row in judge(*receivers)]


def test_a_receiver_with_valid_settings_is_ready() -> None:
    [row] = judge(slack(dropped=("The template title was left out.",)))

    assert (row.name, row.label, row.state, row.where) == ("ops", "Slack", RowState.READY, "hooks.slack.com")
    assert (row.settings, row.missing, row.reason) == ({"address": SLACK}, (), "")
    assert row.notes == ("The template title was left out.",)


def test_no_secret_is_in_what_a_row_shows() -> None:
    rows = judge(slack(), webhook(), webhook("bad", "http://10.0.0.8/canary"), slack("other", f"{SLACK} canary"))

    assert "canary" not in "".join(map(repr, rows))
    assert "canary" not in "".join(f"{row.name}{row.where}{row.reason}{row.notes}{row.errors}" for row in rows)


@pytest.mark.parametrize(
    ("address", "part"),
    [
        ("http://hooks.example.com/x", "begins with http:// instead of https://"),
        ("https://10.0.0.8/x", "10.0.0.8 is not on the public internet"),
        (SLACK, "hooks.slack.com is a host of Slack"),
        ("not an address", "more than one address"),
        ("https://hooks.example.com/\ud800", "characters that are not text"),
    ],
)
def test_an_address_that_the_form_refuses_cannot_be_used(address: str, part: str) -> None:
    [row] = judge(webhook(address=address))

    assert row.state is RowState.REFUSED
    assert part in row.reason


def test_what_the_file_does_not_contain_is_asked_for() -> None:
    [row] = judge(incomplete())

    assert (row.state, row.where) == (RowState.NEEDS_SECRET, "")
    assert [field.name for field in row.missing] == ["address"]
    assert "The file does not contain: " in row.reason


def test_a_required_setting_is_asked_for_even_if_the_file_does_not_refer_to_it() -> None:
    [row] = judge(FoundReceiver("ops", "slack", {"address": " \x00 "}))

    assert (row.state, [field.name for field in row.missing]) == (RowState.NEEDS_SECRET, ["address"])


def test_an_optional_secret_that_the_file_refers_to_is_asked_for() -> None:
    receiver = webhook(missing=frozenset({"signing_secret"}))

    [row] = judge(receiver)
    [added] = judge(receiver, typed={0: {}})
    [completed] = judge(receiver, typed={0: {"signing_secret": SECRET}})

    assert (row.state, row.where) == (RowState.NEEDS_SECRET, "hooks.example.com")
    assert row.reason == "The file does not contain: Signing secret (optional)."
    assert (added.state, added.settings) == (RowState.READY, {"address": WEBHOOK} | CHOSEN)
    assert (completed.state, completed.settings["signing_secret"]) == (RowState.READY, SECRET)


def test_a_row_that_was_completed_is_ready() -> None:
    [row] = judge(incomplete(), typed={0: {"address": f" {SLACK}\n"}})

    assert (row.state, row.settings) == (RowState.READY, {"address": SLACK})


@pytest.mark.parametrize(
    ("text", "part"), [("", "Enter the "), ("https://example.com/canary", "is not a host of Slack")]
)
def test_a_row_that_was_completed_wrongly_says_what_is_wrong(text: str, part: str) -> None:
    [row] = judge(incomplete(), typed={0: {"address": text}})

    assert (row.state, [field.name for field in row.missing]) == (RowState.NEEDS_SECRET, ["address"])
    assert part in row.errors["address"]
    assert "canary" not in row.errors["address"]


def test_what_is_typed_replaces_nothing_that_the_file_has() -> None:
    [row] = judge(slack(), typed={0: {"address": "https://hooks.slack.com/services/T000/B000/other"}})

    assert row.settings == {"address": SLACK}


@pytest.mark.parametrize(
    ("unusable", "state"),
    [(Unusable.RETIRED, RowState.RETIRED), (Unusable.NOT_SUPPORTED, RowState.NOT_SUPPORTED)],
)
def test_a_receiver_that_the_parser_could_not_use_keeps_its_reason(unusable: Unusable, state: RowState) -> None:
    [row] = judge(slack(unusable=unusable, reason="Ends on 5 April 2027."))

    assert (row.state, row.reason, row.settings) == (state, "Ends on 5 April 2027.", {})


@pytest.mark.parametrize("channel", [None, "pigeon", "contract"])
def test_a_channel_that_does_not_exist_is_not_supported(channel: str | None) -> None:
    [row] = judge(FoundReceiver("coop", channel, {"address": WEBHOOK}))

    assert (row.state, row.label) == (RowState.NOT_SUPPORTED, "")
    assert row.reason


def test_a_channel_over_which_nothing_can_be_sent_yet_cannot_be_used() -> None:
    [row] = judge(FoundReceiver("desk", "email", {"recipients": "desk@example.com"}))

    assert (row.state, row.reason) == (RowState.REFUSED, CHANNELS["email"].find_obstacle(OUTBOUND))


def test_a_setting_that_the_channel_does_not_have_is_left_out() -> None:
    receiver = webhook()

    [row] = judge(replace(receiver, settings={**receiver.settings, "colour": "canary"}))

    assert (row.state, row.settings) == (RowState.READY, {"address": WEBHOOK} | CHOSEN)
    assert row.notes == ("colour: the channel has no such setting.",)


def test_a_second_row_for_the_same_place_is_a_duplicate_of_the_first() -> None:
    first, second = judge(slack("ops"), slack("night", SLACK.replace("/B000/", "//B000/")))

    assert (first.state, second.state) == (RowState.READY, RowState.DUPLICATE)
    assert second.reason == "It leads to the same place as “ops” in this file."


def test_a_row_for_a_place_of_the_workspace_is_a_duplicate() -> None:
    place = find_place("slack", {"address": SLACK}, OUTBOUND)
    assert place

    [row] = replace(JUDGE, places={place: "Ops “old”"}).judge([slack()])

    assert (row.state, row.settings) == (RowState.DUPLICATE, {"address": SLACK})
    assert row.reason == "It leads to the same place as the destination “Ops 'old'” of this workspace."


def test_two_webhooks_of_one_host_are_no_duplicates() -> None:
    assert states(webhook("a"), webhook("b", f"{WEBHOOK}-2"), webhook("c")) == [
        *(RowState.READY, RowState.READY, RowState.DUPLICATE)
    ]


def test_the_row_that_cannot_be_used_takes_no_place() -> None:
    unusable = slack("old", unusable=Unusable.RETIRED)

    assert states(unusable, slack("new")) == [RowState.RETIRED, RowState.READY]


def test_a_row_that_was_completed_can_turn_out_to_be_a_duplicate() -> None:
    rows = judge(slack(), incomplete(), typed={0: {}, 1: {"address": SLACK}})

    assert [row.state for row in rows] == [RowState.READY, RowState.DUPLICATE]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["ops", "ops", "OPS"], ["ops", "ops (2)", "OPS (3)"]),
        (["ops (2)", "ops", "ops"], ["ops (2)", "ops", "ops (3)"]),
        ([" a\tb\x1b[31m ", "‮evil", "\u200b"], ["a b [31m", "evil", "Unnamed"]),
        (["x" * 300, "x" * 300], ["x" * MAX_NAME_LENGTH, "x" * (MAX_NAME_LENGTH - 7) + " (2)"]),
    ],
)
def test_names_are_cleaned_and_unique(names: list[str], expected: list[str]) -> None:
    assert [row.name for row in judge(*(incomplete(name) for name in names))] == expected


def test_a_name_with_a_secret_of_the_receiver_is_replaced() -> None:
    first, second, third = judge(slack(SLACK), webhook("to " + "\u200b".join(WEBHOOK)), slack(SLACK, f"{SLACK}-2"))

    assert [row.name for row in (first, second, third)] == ["Slack", "Webhook", "Slack (2)"]
    assert [row.notes[-1] for row in (first, second, third)] == [RENAMED] * 3


@pytest.mark.parametrize("address", [SLACK, SLACK.removeprefix("https://")])
def test_a_name_with_an_address_that_the_file_or_somebody_writes_without_a_scheme_is_replaced(address: str) -> None:
    [found] = judge(slack(address, address))
    [completed] = judge(incomplete(address), typed={0: {"address": address}})

    assert [(row.name, row.notes[-1]) for row in (found, completed)] == [("Slack", RENAMED)] * 2


def test_a_tag_with_a_secret_of_a_receiver_is_left_out() -> None:
    tagged = replace(incomplete("Ops"), tags=("canarytoken123456", "ops"))
    row, _ = judge(tagged, slack(address="https://hooks.slack.com/services/T0/B0/CanaryToken123456"))

    assert (row.tags, row.notes[-1]) == (("ops",), UNTAGGED)


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["", "{:04}"])
def test_a_thousand_long_names_that_begin_alike_are_told_apart_at_once(ending: str) -> None:
    start = "\N{BLACK SUN WITH RAYS}\ufe0f" + "x" * 193
    began = process_time()
    named = name_rows(start + ending.format(number // 2) for number in range(MAX_RECEIVERS))
    assert process_time() - began < 5  # a search from the first number for each takes half a minute
    assert len({name for name, _ in named}) == MAX_RECEIVERS
    assert max(len(name) for name, _ in named) <= MAX_NAME_LENGTH


def test_a_row_with_another_name_says_why() -> None:
    _, row = judge(incomplete("ops"), incomplete("ops"))

    assert row.notes == ("Another row is called “ops”, so this one gets a number.",)


@pytest.mark.parametrize("is_enabled", [True, False])
def test_a_disabled_destination_stays_disabled(is_enabled: bool) -> None:
    [row] = judge(slack(is_enabled=is_enabled))

    assert row.is_enabled is is_enabled
