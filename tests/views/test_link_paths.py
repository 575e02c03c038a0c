"""The links of pages: remembered, but neither those below another path nor those of any length."""

import gc
import tracemalloc

from flask import Flask, render_template_string

from webapp.views.link_paths import CAPACITY


def _link(**values: object) -> str:
    return render_template_string("{{ url_for(endpoint, **values) }}", endpoint="workspaces.show", values=values)


def test_links_are_those_of_flask(app: Flask) -> None:
    with app.test_request_context():
        for _ in range(2):
            assert _link(slug="a", page=1) == "/w/a/destinations?page=1"
            assert _link(slug="a", page="1 2") == "/w/a/destinations?page=1+2"


def test_a_probe_below_another_path_does_not_change_the_links_of_others(app: Flask) -> None:
    visitor = app.test_client()

    page = visitor.post("/healthz", environ_overrides={"SCRIPT_NAME": "/elsewhere"})

    assert page.status_code == 405
    assert 'href="/elsewhere/' in page.text
    assert "/elsewhere/" not in visitor.post("/healthz").text
    assert "/elsewhere/" not in visitor.get("/sign-in").text


def test_a_stranger_cannot_fill_the_memory_with_long_links(app: Flask) -> None:
    length, count = 2_000, CAPACITY // 10
    with app.test_request_context():
        _link(slug="a", name="/")
        tracemalloc.start()
        for number in range(count):
            _link(slug="a", name=f"{number:0{length}}")
        gc.collect()
        kept, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert kept < count * length
