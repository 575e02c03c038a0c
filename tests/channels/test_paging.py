"""Opening an incident and closing it at once, within the time of one attempt."""

from collections.abc import Iterator
from functools import partial
from time import monotonic, sleep

import pytest

from webapp.channels import CHANNELS
from webapp.channels.contract import Accepted
from webapp.channels.paging import OPENING_SHARE, cut, open_and_close
from webapp.failures import MAX_LENGTH, MEANINGS, Code, DeliveryFailed, Facts
from webapp.outbound import ExchangeRecorder, OutboundClient
from webapp.outbound.transport.deadline import Limits

STILL_OPEN = "The incident may still be open: resolve it."
OUTBOUND = OutboundClient(limits=Limits(whole=0.4), recorder=ExchangeRecorder())


class Service:
    """Records the clients that the two requests were sent with, and answers with an acceptance or an error."""

    def __init__(self, *answers: Accepted | Exception) -> None:
        self.clients: list[OutboundClient] = []
        self._answers: Iterator[Accepted | Exception] = iter(answers)

    def post(self, outbound: OutboundClient, seconds: float = 0.0) -> Accepted:
        self.clients.append(outbound)
        sleep(seconds)
        answer = next(self._answers)
        if isinstance(answer, Accepted):
            return answer
        raise answer

    def page(self, seconds: float = 0.0) -> Accepted:
        return open_and_close(OUTBOUND, partial(self.post, seconds=seconds), self.post, STILL_OPEN)


def test_the_acceptance_is_that_of_the_message() -> None:
    assert Service(Accepted(202), Accepted(200)).page() == Accepted(202)


def test_what_was_not_accepted_is_not_closed() -> None:
    service = Service(DeliveryFailed(Code.RATE_LIMITED, retry_after=7))
    with pytest.raises(DeliveryFailed) as caught:
        service.page()
    assert (caught.value.retry_after, len(service.clients)) == (7, 1)


def test_if_it_cannot_be_closed_the_message_was_sent_all_the_same_with_a_warning() -> None:
    failure = DeliveryFailed(Code.REMOTE_UNAVAILABLE, Facts("events.example.com", 503), retry_after=2)
    accepted = Service(Accepted(202), failure).page()
    assert (accepted.status, accepted.warning) == (202, f"{STILL_OPEN} {failure.message}")


@pytest.mark.parametrize("error", [RuntimeError("can't start new thread"), OSError(24, "s3cr-t"), ValueError("s3cr-t")])
def test_whatever_goes_wrong_while_it_is_closed_the_message_was_sent(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    accepted = Service(Accepted(202), error).page()
    assert (accepted.status, accepted.warning) == (202, STILL_OPEN)
    assert "s3cr-t" not in caplog.text


def test_a_warning_of_the_message_itself_stays() -> None:
    accepted = Service(Accepted(202, "It is odd."), DeliveryFailed(Code.NOT_FOUND)).page()
    assert (accepted.warning or "").startswith(f"It is odd. {STILL_OPEN}")


def test_the_warning_fits_its_column() -> None:
    accepted = Service(Accepted(202, "x" * MAX_LENGTH), DeliveryFailed(Code.NOT_FOUND)).page()
    assert accepted.warning == STILL_OPEN


def test_only_the_exchange_of_the_message_is_recorded() -> None:
    service = Service(Accepted(202), Accepted(202))
    service.page()
    assert [client.recorder for client in service.clients] == [OUTBOUND.recorder, None]


def test_the_message_leaves_time_for_closing_it() -> None:
    service = Service(Accepted(202), Accepted(202))
    service.page()
    assert service.clients[0].limits.whole == pytest.approx(OUTBOUND.limits.whole * OPENING_SHARE)


def test_closing_has_only_the_time_that_is_left() -> None:
    service, began = Service(Accepted(202), Accepted(202)), monotonic()
    service.page(seconds=0.2)
    elapsed = monotonic() - began
    assert OUTBOUND.limits.whole - elapsed - 0.1 <= service.clients[1].limits.whole <= OUTBOUND.limits.whole - 0.15


def test_after_more_than_the_whole_time_closing_still_ends_at_once() -> None:
    service = Service(Accepted(202), Accepted(202))
    service.page(seconds=0.5)
    assert service.clients[1].limits.whole == 0


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("abcd", "abcd"),
        ("abcde", "abc…"),
        ("ab\N{FIRE}", "ab\N{FIRE}"),
        ("abc\N{FIRE}", "abc…"),
        ("ab\N{FIRE}c", "ab…"),
    ],
)
def test_a_text_is_cut_between_characters(text: str, short: str) -> None:
    assert cut(text, 4) == short


@pytest.mark.parametrize("channel", [channel for channel in CHANNELS.values() if channel.pages_people])
@pytest.mark.parametrize("code", [code for code, known in MEANINGS.items() if known.may_have_arrived])
def test_whoever_may_have_been_paged_is_told_to_close_what_was_opened(channel: object, code: Code) -> None:
    hints = channel.hints  # type: ignore[attr-defined]
    assert code not in channel.codes or hints[code].endswith(  # type: ignore[attr-defined]
        ("resolve it in PagerDuty.", "close it in Jira Service Management.")
    )
