"""Downloads that run at once are counted until they are read to the end or given up."""

from collections.abc import Callable

import pytest
from flask import Flask

from tests.factories import SeededIds
from tests.visitor import Visitor
from webapp.text.csv_export import BYTE_ORDER_MARK
from webapp.views.csv_downloads import MAX_DOWNLOADS, RUNNING, RunningDownloads

PATHS = [f"/w/harbor/{name}.csv" for name in ("history", "audit", "evidence/tests", "evidence/destinations")]


@pytest.mark.parametrize("path", PATHS)
def test_an_account_gets_another_download_once_one_is_over(
    app: Flask, seeded: SeededIds, visit: Callable[[int], Visitor], path: str
) -> None:
    running = app.extensions[RUNNING] = RunningDownloads()
    assert running.begin(seeded.admin)
    admin = visit(seeded.admin)

    assert [admin.get(path).text[0] for _ in range(3)] == [BYTE_ORDER_MARK] * 3
    assert running.begin(seeded.admin)
    refused = admin.get(path)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "10")
    assert "Too many downloads at once" in refused.text
    running.end(seeded.admin)
    assert admin.get(path).text.startswith(BYTE_ORDER_MARK)


def test_everybody_together_leaves_threads_for_other_pages() -> None:
    running = RunningDownloads()
    assert all(running.begin(account) for account in range(MAX_DOWNLOADS))

    assert not running.begin(MAX_DOWNLOADS)
    running.end(0)
    assert running.begin(MAX_DOWNLOADS)
    assert not running.begin(0)
