"""The facts of the last exchange in a delivery's row."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pytest_httpserver import HTTPServer

from tests.factories import (
    NOW,
    SECRET_PATH,
    SeededIds,
    get_account,
    get_destination,
    on_both_databases,
)
from webapp.deliveries import request_test, send
from webapp.deliveries.attempts.claiming import claim
from webapp.deliveries.attempts.exchanges import read_exchange, write_exchange
from webapp.extensions import db
from webapp.models import AlertDelivery
from webapp.outbound import OutboundClient
from webapp.outbound.exchange_facts import CertificateDates, ExchangeFacts, ExchangeStep
from webapp.settings import AppSettings

COMPLETE = ExchangeFacts(
    steps=((ExchangeStep.LOOKUP, 1.5), (ExchangeStep.CONNECT, 20.0)),
    is_complete=True,
    family=6,
    address="2606:4700:4700::1111",
    is_public=True,
    tries=2,
    is_proxied=True,
    certificate=CertificateDates("Example CA", NOW, NOW + timedelta(days=90)),
    media_type="text/html",
    size=16384,
    is_cut_off=True,
    redirect_host="login.example.com",
)


@pytest.mark.parametrize(
    "facts",
    [
        COMPLETE,
        ExchangeFacts(steps=((ExchangeStep.LOOKUP, 3000.0),)),
        ExchangeFacts(steps=COMPLETE.steps, certificate=CertificateDates(None, NOW, NOW)),
        ExchangeFacts(steps=COMPLETE.steps, size=0),
    ],
)
def test_facts_are_read_as_they_were_written(facts: ExchangeFacts) -> None:
    stored = json.loads(json.dumps(write_exchange(facts)))

    assert read_exchange(AlertDelivery(exchange=stored)) == facts


def test_what_is_not_known_is_not_stored() -> None:
    stored = write_exchange(ExchangeFacts(steps=((ExchangeStep.LOOKUP, 3000.0),)))

    assert stored == {"steps": [["lookup", 3000.0]]}


def test_without_an_exchange_nothing_is_stored() -> None:
    assert write_exchange(ExchangeFacts()) is None
    assert read_exchange(AlertDelivery(exchange=None)) is None


def test_facts_and_steps_of_a_newer_version_are_left_out() -> None:
    stored = {"steps": [["quantum", 4.0], ["lookup", 1.0]], "mood": "calm"}

    facts = read_exchange(AlertDelivery(exchange=stored))

    assert facts == ExchangeFacts(steps=((ExchangeStep.LOOKUP, 1.0),))


@pytest.fixture
def delivery_id(context: None, seeded: SeededIds) -> int:
    return request_test(get_destination(seeded), get_account(seeded), datetime.now(UTC))


def _read(delivery_id: int) -> AlertDelivery:
    return db.session.get_one(AlertDelivery, delivery_id, populate_existing=True)


@on_both_databases
@pytest.mark.parametrize("status", [200, 404])
def test_the_exchange_of_an_attempt_is_in_its_row(
    httpserver: HTTPServer, delivery_id: int, app_settings: AppSettings, status: int
) -> None:
    httpserver.expect_request(SECRET_PATH).respond_with_data("ok", status, {"Content-Type": "text/plain"})

    send(delivery_id, app_settings)

    exchange = read_exchange(_read(delivery_id))
    assert exchange is not None
    assert (exchange.is_complete, exchange.media_type, exchange.size) == (True, "text/plain", 2)


@on_both_databases
def test_the_row_holds_neither_the_path_nor_what_the_receiver_repeats_of_it(
    httpserver: HTTPServer, delivery_id: int, app_settings: AppSettings
) -> None:
    echo = SECRET_PATH.strip("/").replace("/", "-")
    headers = {"Content-Type": f"text/{echo}; {echo}", "Location": f"{SECRET_PATH}?{echo}", "X-Echo": echo}
    httpserver.expect_request(SECRET_PATH).respond_with_data(echo, 307, headers)

    send(delivery_id, app_settings)

    stored = json.dumps(_read(delivery_id).exchange)
    assert "another text type" in stored
    assert "canary" not in stored


@on_both_databases
def test_an_attempt_that_begins_forgets_the_exchange_of_the_last_one(
    delivery_id: int, app_settings: AppSettings
) -> None:
    """If its worker is lost, nothing is known of its exchange."""
    row = _read(delivery_id)
    row.exchange = write_exchange(COMPLETE)
    db.session.commit()

    assert claim(delivery_id, app_settings, datetime.now(UTC)) is not None

    assert _read(delivery_id).exchange is None


@on_both_databases
def test_a_message_that_cannot_be_sent_has_no_exchange(delivery_id: int, app_settings: AppSettings) -> None:
    nobody = replace(app_settings, outbound=OutboundClient())

    send(delivery_id, nobody)

    row = _read(delivery_id)
    assert (row.last_error_code, row.exchange) == ("scheme_not_allowed", None)
