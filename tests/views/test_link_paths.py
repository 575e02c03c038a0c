"""The links of pages: remembered, but neither those below another path nor those of any length."""

import tracemalloc

from flask import Flask

from webapp.views.link_paths import CAPACITY


def test_links_are_those_of_flask(app: Flask) -> None:
    with app.test_request_context():
        for _ in range(2):
            assert app.jinja_env.globals["url_for"]("workspaces.show", slug="a", page=1) == "/w/a/destinations?page=1"
            assert app.jinja_env.globals["url_for"]("workspaces.show", slug="a", page="1 2") == (
                "/w/a/destinations?page=1+2"
            )


def test_a_probe_below_another_path_does_not_change_the_links_of_others(app: Flask) -> None:
    visitor = app.test_client()

    page = visitor.post("/healthz", environ_overrides={"SCRIPT_NAME": "/elsewhere"})

    assert page.status_code == 405
    assert 'href="/elsewhere/' in page.text
    assert "/elsewhere/" not in visitor.post("/healthz").text
    assert "/elsewhere/" not in visitor.get("/sign-in").text


def test_a_stranger_cannot_fill_the_memory_with_long_links(app: Flask) -> None:
    url_for, length = app.jinja_env.globals["url_for"], 2_000
    with app.test_request_context():
        url_for("auth.show_sign_in", next="/")
        tracemalloc.start()
        for number in range(500):
            url_for("auth.show_sign_in", next=f"{number:0{length}}")
        kept, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert 500 < CAPACITY
    assert kept < 500 * length / 4
