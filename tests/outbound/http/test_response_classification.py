"""What a response means: the receiver's own word, then its status; a web page is accepted with a warning."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import process_time

import pytest
from requests.structures import CaseInsensitiveDict

from webapp.failures import MEANINGS, Code, DeliveryFailed
from webapp.outbound.http.client import HttpResponse
from webapp.outbound.http.response_classification import check_response, explain_missing_word

HOST = "hooks.example.com"
WORDS = {"no_service": Code.NOT_FOUND, "rollup_error": Code.REMOTE_UNAVAILABLE}
PAGE = b"<!DOCTYPE html><html><title>Sign in</title></html>"
WARNING = "hooks.example.com answered with a web page, as sign-in and error pages do. Check that the message arrived."


def response_of(status: int, body: bytes = b"", **headers: str) -> HttpResponse:
    """Return a response; underscores in a header's name stand for dashes."""
    named = CaseInsensitiveDict({name.replace("_", "-"): value for name, value in headers.items()})
    return HttpResponse(status, named, body, 0.1)


def failure_of(response: HttpResponse, word: str | None = None) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        check_response(response, HOST, word, WORDS)
    return caught.value


@pytest.mark.parametrize("status", [200, 201, 202, 204, 205, 206, 207, 299])
def test_any_2xx_is_accepted_without_a_warning(status: int) -> None:
    assert check_response(response_of(status), HOST) is None


@pytest.mark.parametrize("status", [200, 400, 403, 404, 500, 502, 504])
def test_the_receivers_word_decides_whatever_the_status_is(status: int) -> None:
    failure = failure_of(response_of(status), "no_service")
    assert (failure.code, failure.facts.status, failure.facts.token) == (Code.NOT_FOUND, status, "no_service")


def test_an_unknown_word_leaves_the_decision_to_the_status() -> None:
    assert failure_of(response_of(403), "other").code is Code.FORBIDDEN


def test_a_failure_contains_host_and_status() -> None:
    facts = failure_of(response_of(404)).facts
    assert (facts.host, facts.status) == (HOST, 404)


@pytest.mark.parametrize("status", [429, 503, 521])
def test_retry_after_is_kept_for_a_retryable_status(status: int) -> None:
    assert failure_of(response_of(status, retry_after="30")).retry_after == 30


def test_retry_after_is_kept_for_a_retryable_word() -> None:
    assert failure_of(response_of(500, retry_after="30"), "rollup_error").retry_after == 30


@pytest.mark.parametrize("status", [301, 400, 500, 502])
def test_retry_after_is_ignored_for_other_statuses(status: int) -> None:
    assert failure_of(response_of(status, retry_after="30")).retry_after is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("30", "30 seconds"),
        ("1", "1 second"),
        ("60", "1 minute"),
        ("61", "2 minutes"),
        ("3600", "1 hour"),
        ("5400", "1 hour 30 minutes"),
        ("90000", "1 day 1 hour"),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_the_sentence_says_how_long_to_wait_and_until_when(status: int, text: str, words: str) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    sentence = failure_of(response_of(status, retry_after=text)).message
    time = sentence.partition(f"It asks to wait {words}, until ")[2].removesuffix(" UTC.")
    until = datetime.fromisoformat(f"{time}+00:00")
    assert timedelta(0) <= until - before - timedelta(seconds=int(text)) < timedelta(seconds=5)


@pytest.mark.parametrize("text", [None, "soon", "0", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_without_a_time_to_wait_the_sentence_mentions_none(text: str | None) -> None:
    headers = {} if text is None else {"retry_after": text}
    assert "wait" not in failure_of(response_of(429, b"", **headers)).message


@pytest.mark.parametrize("text", ["2678400", "999999999", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_longer_time_than_is_kept_is_not_given_an_end(text: str) -> None:
    assert failure_of(response_of(429, retry_after=text)).message.endswith(" It asks to wait 31 days or longer.")


@pytest.mark.parametrize(
    "response",
    [
        response_of(200, PAGE, content_type="text/html"),
        response_of(200, PAGE, content_type="TEXT/HTML; charset=utf-8"),
        response_of(200, PAGE, content_type=" text/html;charset=UTF-8"),
        response_of(200, b"<p>signed out", content_type="text/html"),
        response_of(200, b"\x1f\x8b\x08", content_type="text/html", content_encoding="gzip"),
        response_of(202, PAGE, content_type="application/xhtml+xml"),
        response_of(200, PAGE),
        response_of(200, PAGE, content_type="application/json"),
        response_of(200, PAGE, content_type="text/plain"),
        response_of(200, b"\xef\xbb\xbf\r\n <!-- x --> <HTML lang=en>", content_type="text/plain"),
        response_of(200, b'<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "-">'),
        response_of(200, PAGE.decode().encode("utf-16")),
        response_of(200, b"<html><body>cut", content_type=""),
    ],
)
def test_a_web_page_is_accepted_with_a_warning(response: HttpResponse) -> None:
    assert check_response(response, HOST) == WARNING


@pytest.mark.parametrize("start", [b"<!---->", b"<!-- -->\n", b"<?xml><!---->"])
def test_comments_in_a_row_do_not_occupy_the_worker(start: bytes) -> None:
    began = process_time()
    assert check_response(response_of(200, start * 24), HOST) is None  # took 3 s; each further one doubled it
    assert process_time() - began < 1

    assert check_response(response_of(200, start * 1000), HOST) is None
    assert check_response(response_of(200, start * 1000 + PAGE), HOST) == WARNING
    assert process_time() - began < 5


@pytest.mark.parametrize(
    "response",
    [
        response_of(200, b'{"html": "<html>"}', content_type="application/json"),
        response_of(200, b"ok", content_type="text/plain"),
        response_of(200, b"ok", content_type="text/html"),  # as Slack, PHP, Flask and Express declare it
        response_of(200, b'{"status": "ok"}', content_type="text/html; charset=utf-8"),
        response_of(200, b"", content_type="text/html"),  # what some languages declare if nothing else is said
        response_of(204, b"", content_type="text/html; charset=utf-8"),
        response_of(200, b"<response><html>no</html></response>", content_type="application/xml"),
        response_of(200, b"<htmlish/>"),
        response_of(200, b"\x1f\x8b\x08", content_type="application/octet-stream"),
    ],
)
def test_other_responses_are_accepted_without_a_warning(response: HttpResponse) -> None:
    assert check_response(response, HOST) is None


def test_an_answer_that_reports_an_error_is_accepted_with_a_warning() -> None:
    assert check_response(response_of(201, b'{"errcode": 310000, "errmsg": "canary"}'), HOST) == (
        "hooks.example.com answered 201, but its response reports an error. Check that the message arrived."
    )


@pytest.mark.parametrize("status", [200, 202, 403, 405, 429])
def test_a_firewalls_challenge_is_a_failure_whatever_its_status_is(status: int) -> None:
    failure = failure_of(response_of(status, x_amzn_waf_action="challenge"))
    assert (failure.code, failure.may_retry) == (Code.FORBIDDEN, False)
    assert failure.message == (
        f"hooks.example.com answered {status}: a firewall in front of it wants to see a browser, and did not pass the "
        "message on."
    )


def test_a_services_own_word_comes_before_a_firewalls_header() -> None:
    assert failure_of(response_of(404, cf_mitigated="challenge"), "no_service").code is Code.NOT_FOUND


def test_a_page_of_what_is_in_front_of_the_receiver_comes_before_the_status() -> None:
    page = b"<title>400 The plain HTTP request was sent to HTTPS port</title>"
    assert failure_of(response_of(400, page)).code is Code.SCHEME_NOT_ALLOWED
    assert failure_of(response_of(503, b"Error 503 Backend fetch failed", retry_after="5")).retry_after is None


@pytest.mark.parametrize("body", [b"no", b"{}", b'{"ok": false}', b'{"error": "<html>"}'])
def test_whatever_else_a_service_says_means_that_it_did_not_accept_the_message(body: bytes) -> None:
    failure = explain_missing_word(response_of(200, body), HOST, 200)
    assert failure.code is Code.REMOTE_REJECTED
    assert not MEANINGS[failure.code].may_have_arrived


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (response_of(200, PAGE), Code.SIGN_IN_PAGE),
        (response_of(202, PAGE), Code.SIGN_IN_PAGE),
        (replace(response_of(200, PAGE), complete=False), Code.SIGN_IN_PAGE),  # a long page
        (response_of(201, b'{"ok": true}'), Code.UNEXPECTED_STATUS),
        (response_of(204), Code.UNEXPECTED_STATUS),
        (response_of(200), Code.INVALID_RESPONSE),
        (response_of(200, b" \n"), Code.INVALID_RESPONSE),
        (response_of(200, b"\x1f\x8b\x08", content_encoding="gzip"), Code.INVALID_RESPONSE),
        (response_of(200, b"\x8b", content_encoding=" BR"), Code.INVALID_RESPONSE),
        (replace(response_of(200, b"{"), complete=False), Code.INVALID_RESPONSE),  # more than is kept
        (response_of(200, b'{"ok": true, "result": {"mess'), Code.INVALID_RESPONSE),  # cut off, without a length
        (response_of(200, b'\n[{"id": '), Code.INVALID_RESPONSE),
        *(
            (replace(response_of(200, PAGE), complete=False, broken_by=code), code)
            for code in (Code.DEADLINE_EXCEEDED, Code.CONNECTION_CLOSED, Code.INVALID_RESPONSE)
        ),
    ],
)
def test_a_response_that_says_neither_leaves_open_whether_the_message_arrived(
    response: HttpResponse, code: Code
) -> None:
    failure = explain_missing_word(response, HOST, 200)
    assert failure.code is code
    assert MEANINGS[code].may_have_arrived


@pytest.mark.parametrize("encoding", ["", "identity", " Identity "])
def test_a_body_that_is_called_uncompressed_can_be_read(encoding: str) -> None:
    response = response_of(200, b"no", content_encoding=encoding)
    assert explain_missing_word(response, HOST, 200).code is Code.REMOTE_REJECTED


def test_a_web_page_in_place_of_a_services_answer_is_named() -> None:
    assert explain_missing_word(response_of(200, PAGE), HOST, 200).message == (
        "hooks.example.com answered 200 with a web page, as sign-in and error pages do, in place of the answer to a "
        "message."
    )
