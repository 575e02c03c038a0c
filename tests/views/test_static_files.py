"""Static files: under addresses that browsers keep for ever, and compressed."""

import gzip
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask, url_for

from tests.factories import SeededIds
from tests.visitor import Visitor
from webapp.views.static_files import IMMUTABLE, load_static_files

Visit = Callable[[int], Visitor]

OTHER_DIGEST = "0123456789abcdef"


@pytest.fixture
def base(app: Flask) -> str:
    """The folder of the addresses that pages name."""
    with app.test_request_context():
        address = url_for("static", filename="app.js")
    assert re.fullmatch("/static/[0-9a-f]{16}/app.js", address)
    return address.removesuffix("/app.js")


@pytest.mark.parametrize("name", ["app.js", "app.css", "icons.svg", "icons.css", "vendor/htmx-4.0.1.min.js"])
def test_the_address_with_the_digest_is_kept_for_ever(app: Flask, base: str, name: str) -> None:
    response = app.test_client().get(f"{base}/{name}")

    assert (response.status_code, response.headers["Cache-Control"]) == (200, IMMUTABLE)


@pytest.mark.parametrize("folder", ["/static", f"/static/{OTHER_DIGEST}"])
def test_every_other_address_has_the_present_file_and_is_asked_for_each_time(
    app: Flask, base: str, folder: str
) -> None:
    client = app.test_client()

    response = client.get(f"{folder}/app.js")

    assert (response.status_code, response.headers["Cache-Control"]) == (200, "no-cache")
    assert response.data == client.get(f"{base}/app.js").data
    again = client.get(f"{folder}/app.js", headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.data, again.headers["Cache-Control"]) == (304, b"", "no-cache")


@pytest.mark.parametrize("name", ["none.js", "../wsgi.py", "%2e%2e/wsgi.py", "vendor", "", "icons.svg/x"])
def test_an_address_without_a_file_is_not_found_and_not_kept(app: Flask, base: str, name: str) -> None:
    response = app.test_client().get(f"{base}/{name}")

    assert (response.status_code, response.headers["Cache-Control"]) == (404, "no-store, no-transform")


def test_a_file_is_compressed_for_whoever_reads_that(app: Flask, base: str) -> None:
    client = app.test_client()

    plain = client.get(f"{base}/app.css")
    compressed = client.get(f"{base}/app.css", headers={"Accept-Encoding": "br, gzip"})

    assert plain.content_encoding is None
    assert (compressed.content_encoding, gzip.decompress(compressed.data)) == ("gzip", plain.data)
    assert len(compressed.data) < len(plain.data) / 3
    assert {response.headers["Vary"] for response in (plain, compressed)} == {"Accept-Encoding"}
    assert plain.headers["ETag"] != compressed.headers["ETag"]


def test_a_file_that_everybody_may_keep_carries_nobodys_cookie(seeded: SeededIds, visit: Visit, base: str) -> None:
    response = visit(seeded.admin).client.get(f"{base}/app.js")

    assert "Set-Cookie" not in response.headers
    assert response.headers["Vary"] == "Accept-Encoding"


def test_a_page_asks_for_nothing_but_files_under_the_digest(seeded: SeededIds, visit: Visit, base: str) -> None:
    page = visit(seeded.admin).get("/w/harbor/destinations").text

    addresses = re.findall(r'(?:href|src)="(/static/[^"]*)"', page)
    assert len(addresses) > 8
    assert [address for address in addresses if not address.startswith(f"{base}/")] == []


def test_the_digest_changes_with_any_file_or_name(tmp_path: Path) -> None:
    digests = []
    for number, (name, text) in enumerate([("a.js", "1"), ("a.js", "2"), ("b.js", "2")]):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / name).write_text(text)
        digests.append(load_static_files(folder).digest)

    assert len(set(digests)) == 3


def test_a_file_that_is_replaced_during_an_upgrade_is_served_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "app.js"
    file.write_text("old")
    static = load_static_files(tmp_path)

    file.write_text("new")

    found = static.find(f"{static.digest}/app.js")
    assert found is not None
    assert (found[0].content, found[1]) == (b"old", True)
