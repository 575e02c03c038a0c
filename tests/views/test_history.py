"""The history's pages and file: their content, their links, and hidden secrets."""

import html
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask

from tests.factories import (
    NOW,
    SECRET_PATH,
    SIGNING_SECRET,
    SeededIds,
    add_delivery,
    add_real_alert,
    begin_claim_record,
    get_account,
    get_destination,
    seconds,
)
from tests.visitor import Visitor
from webapp.database import keyset_pages
from webapp.deliveries.attempts.past_attempts import PastAttempt, add_attempt
from webapp.destinations.editing import delete_destination
from webapp.models import DeliveryStatus, Receipt

Visit = Callable[[int], Visitor]

PAGE = "/w/harbor/history"
FILE = "/w/harbor/history.csv"
SENT: dict[str, Any] = {"status": DeliveryStatus.SENT, "sent_at": NOW, "attempt_count": 1}
GONE: dict[str, Any] = {
    "status": DeliveryStatus.FAILED,
    "last_error_code": "gone",
    "last_error_message": "hooks.example.com answered 410.",
    "attempt_count": 2,
    "answer_seconds": 0.25,
}


@pytest.fixture
def reader(seeded: SeededIds, visit: Visit) -> Visitor:
    return visit(seeded.viewer)


@pytest.fixture
def sent(app: Flask, seeded: SeededIds) -> None:
    """A failed test, and an earlier real alert that was accepted."""
    with app.app_context():
        destination = get_destination(seeded)
        add_real_alert(destination, **SENT)
        facts = {"requested_by_id": seeded.support, "payload": {"reference": "K7QM"}}
        add_delivery(destination, created_at=NOW + seconds(1), **facts, **GONE)


def _rows(page: str) -> list[list[str]]:
    """Return the text of each row's cells, without the time."""
    rows = re.findall(r"<tr>(.*?)</tr>", page.partition("<tbody>")[2], re.DOTALL)
    return [[_to_text(cell) for cell in row.split("</td>")[1:-1]] for row in rows]


def _to_text(markup: str) -> str:
    return html.unescape(" ".join(re.sub(r"<[^>]+>", "", markup).split()))


def _links(page: str) -> dict[str, str]:
    found = re.findall(r'<a [^>]*href="([^"]+)"[^>]*>(.*?)</a>', page, re.DOTALL)
    return {_to_text(words): html.unescape(where) for where, words in found}


@pytest.mark.parametrize(("receipt", "times"), [(None, 1), (Receipt.MISSING, 0)])
@pytest.mark.parametrize("path", [PAGE, "/w/harbor/destinations/{id}"])
def test_a_row_says_that_a_failed_message_may_have_arrived_until_somebody_has_looked(
    app: Flask, seeded: SeededIds, reader: Visitor, path: str, receipt: Receipt | None, times: int
) -> None:
    with app.app_context():
        facts = GONE | {"last_error_code": "read_timeout", "receipt": receipt, "receipt_at": NOW if receipt else None}
        add_delivery(get_destination(seeded), payload={"reference": "K7QM4T"}, **facts)

    page = reader.get(path.format(id=seeded.destination)).text

    (table,) = re.findall("<table.*</table>", page, re.DOTALL)
    assert table.count("The message may or may not have arrived.") == times


@pytest.mark.usefixtures("sent")
def test_each_row_shows_the_message_destination_result_and_presser(reader: Visitor) -> None:
    test, alert = _rows(reader.get(PAGE).text)

    outcome = "Failed hooks.example.com answered 410. 2 attempts. 0.25 s"
    assert test == ["Test", "Ticket system", outcome, "K7QM", "Support"]
    assert alert[:2] == ["Real alert A rule, A customer", "Ticket system"]
    assert alert[2].startswith("Sent ")
    assert alert[3:] == ["", ""]


@pytest.mark.usefixtures("sent")
def test_a_history_shows_no_badge_and_no_secret(reader: Visitor) -> None:
    text = reader.get(PAGE).text + reader.get(FILE).text

    assert "data-last-test" not in text
    assert (SECRET_PATH in text, SIGNING_SECRET in text) == (False, False)


def test_a_real_alert_of_ours_is_shown_in_our_words_and_another_programs_by_its_code(
    app: Flask, seeded: SeededIds, reader: Visitor
) -> None:
    with app.app_context():
        attempts = add_attempt((), PastAttempt(1, NOW, 0.2, "gone", 410))
        add_real_alert(get_destination(seeded), attempts=attempts, **GONE)
        foreign = GONE | {"last_error_message": f"POST https://hooks.example.com{SECRET_PATH}"}
        add_real_alert(get_destination(seeded), created_at=NOW - seconds(1), **foreign)

    ours, theirs = _rows(reader.get(PAGE).text)

    assert ours[2] == "Failed hooks.example.com answered 410. 2 attempts. 0.25 s"
    assert theirs[2] == "Failed gone 2 attempts. 0.25 s"
    assert SECRET_PATH not in reader.get(FILE).text


@pytest.mark.usefixtures("sent")
@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ("kind=test", ["Test"]),
        ("kind=real&channel=webhook", ["Real"]),
        ("status=failed&code=gone", ["Test"]),
        ("since=2026-05-04&until=2026-05-04", ["Test", "Real"]),
        ("kind=nonsense&since=nonsense", ["Test", "Real"]),
    ],
)
def test_the_url_filters_the_page_and_the_file(reader: Visitor, query: str, kinds: list[str]) -> None:
    page = reader.get(f"{PAGE}?{query}").text
    lines = reader.get(f"{FILE}?{query}").text.splitlines()[1:]

    assert re.findall(r"<td>(Test|Real)", page) == kinds
    assert [line.split(",")[1].capitalize() for line in lines] == kinds


@pytest.mark.parametrize("key", ["nonsense", "%00", "2026-05-04T09:30:00.000000Z_0", "2026-05-04T09:30:00.000000Z_-1"])
def test_a_page_key_that_is_none_is_not_found(reader: Visitor, key: str) -> None:
    assert reader.get(f"{PAGE}?before={key}").status_code == 404


@pytest.mark.usefixtures("sent")
def test_the_form_and_the_files_link_keep_the_filter(reader: Visitor) -> None:
    query = "kind=test&status=failed&code=gone&since=2026-05-01"
    page = reader.get(f"{PAGE}?{query}").text

    assert re.findall(r'<option value="([^"]+)" selected>', page) == ["test", "failed", "gone"]
    assert '<input type="date" name="since" value="2026-05-01">' in page
    assert _links(page)["CSV"] == f"{FILE}?kind=test&status=failed&code=gone&since=2026-05-01"


def test_the_older_and_newest_links_move_between_pages(app: Flask, seeded: SeededIds, reader: Visitor) -> None:
    with app.app_context():
        destination = get_destination(seeded)
        _ = [add_delivery(destination, **SENT, created_at=NOW + seconds(number)) for number in range(51)]

    first = reader.get(f"{PAGE}?kind=test").text
    second = reader.get(_links(first)["Older"]).text

    assert (len(_rows(first)), len(_rows(second))) == (50, 1)
    assert _links(first)["Older"].startswith(f"{PAGE}?kind=test&before=2026-05-04T09:30:01.000000Z_")
    assert ("Newest" in _links(first), "Older" in _links(second)) == (False, False)
    assert _links(second)["Newest"] == f"{PAGE}?kind=test"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "Nothing has been sent in this workspace yet."),
        ("?destination=1", "Nothing has been sent to this destination yet."),
        ("?status=sent", "No delivery matches the filter."),
        ("?before=2026-05-04T09:30:00.000000Z_1", "There are no older deliveries."),
    ],
)
def test_an_empty_page_shows_why_it_is_empty(reader: Visitor, query: str, words: str) -> None:
    assert words in reader.get(f"{PAGE}{query}").text


def test_clearing_an_empty_filter_keeps_the_destination(reader: Visitor) -> None:
    links = _links(reader.get(f"{PAGE}?destination=1&status=sent").text)

    assert links["Clear the filter"] == f"{PAGE}?destination=1"


def test_a_page_that_reached_its_search_limit_shows_how_far_it_searched(
    app: Flask, seeded: SeededIds, reader: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyset_pages, "SCAN_LIMIT", 2)
    with app.app_context():
        _ = [add_delivery(get_destination(seeded), **SENT) for _ in range(3)]

    page = reader.get(f"{PAGE}?channel=slack").text

    assert "No delivery matches the filter as far back as 2026-05-04 09:30:00 UTC." in _to_text(page)
    assert "There are no older deliveries." in reader.get(_links(page)["Search further back"]).text


@pytest.mark.usefixtures("sent")
def test_the_history_of_one_destination_names_it_and_links_back(seeded: SeededIds, reader: Visitor) -> None:
    page = reader.get(f"{PAGE}?destination={seeded.destination}").text

    assert "<h1>History of <bdi>Ticket system</bdi></h1>" in page
    assert _links(page)["Show the history of the whole workspace"] == PAGE
    assert f'<input type="hidden" name="destination" value="{seeded.destination}">' in page


@pytest.mark.usefixtures("sent")
def test_a_deleted_destination_keeps_its_history(app: Flask, seeded: SeededIds, reader: Visitor) -> None:
    with app.app_context():
        delete_destination(get_destination(seeded), get_account(seeded), NOW)

    page = reader.get(f"{PAGE}?destination={seeded.destination}").text

    assert "This destination was deleted." in page
    assert [row[1] for row in _rows(page)] == ["Ticket system Deleted"] * 2
    assert f"/w/harbor/destinations/{seeded.destination}" not in page


@pytest.mark.parametrize("path", [PAGE, FILE])
@pytest.mark.parametrize("number", ["2", "999999", "0", "abc", "9" * 30, "%00", "٣"])
def test_the_history_of_an_unknown_destination_returns_404(
    seeded: SeededIds, reader: Visitor, path: str, number: str
) -> None:
    assert seeded.foreign_destination == 2
    assert reader.get(f"{path}?destination={number}").status_code == 404


def test_a_file_is_named_after_its_content_and_never_cached(seeded: SeededIds, reader: Visitor) -> None:
    whole, one = reader.get(FILE), reader.get(f"{FILE}?destination={seeded.destination}")

    names = [response.headers["Content-Disposition"] for response in (whole, one)]
    assert re.fullmatch(r'attachment; filename="history-harbor-\d{8}T\d{6}Z\.csv"', names[0])
    assert re.fullmatch(r'attachment; filename="history-harbor-1-\d{8}T\d{6}Z\.csv"', names[1])
    assert (whole.content_type, whole.headers["Cache-Control"]) == ("text/csv; charset=utf-8", "no-store")


def test_a_file_is_streamed(app: Flask, seeded: SeededIds, reader: Visitor) -> None:
    with app.app_context():
        add_delivery(get_destination(seeded))

    response = reader.client.get(FILE)

    assert (response.is_streamed, len(response.text.splitlines())) == (True, 2)


@pytest.mark.parametrize("path", [PAGE, FILE, f"{PAGE}?status=failed", f"{PAGE}?code=not_started"])
def test_an_abandoned_test_is_not_pending_in_a_history(
    app: Flask, seeded: SeededIds, reader: Visitor, path: str
) -> None:
    with app.app_context():
        begin_claim_record()
        add_delivery(get_destination(seeded), created_at=datetime.now(UTC) - seconds(600))

    assert "No worker picked up the message in time, so nothing was sent." in reader.client.get(path).text


@pytest.mark.parametrize("path", ["/w/harbor/destinations", "/w/harbor/destinations/1"])
def test_the_pages_link_to_the_history(seeded: SeededIds, reader: Visitor, path: str) -> None:
    links = _links(reader.get(path).text)

    assert {PAGE, f"{PAGE}?destination=1"} & set(links.values())


def test_a_name_is_escaped_in_a_history(app: Flask, seeded: SeededIds, reader: Visitor) -> None:
    with app.app_context():
        get_destination(seeded).name = "<script>alert(1)</script>"
        add_delivery(get_destination(seeded))

    assert "<script>alert" not in reader.get(f"{PAGE}?destination={seeded.destination}").text
