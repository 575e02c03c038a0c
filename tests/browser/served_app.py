"""Serves a test's application to a browser, and opens tabs in which its accounts are signed in."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from playwright.sync_api import BrowserContext
from werkzeug.serving import make_server

from tests.visitor import Visitor


@contextmanager
def serve(app: Flask) -> Iterator[str]:
    """Serve an application inside a `with`. Provides the origin of its pages."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()


def add_session(context: BrowserContext, app: Flask, account_id: int, address: str) -> None:
    """Sign an account in, in a context of a browser."""
    cookie = Visitor.signed_in(app, account_id, address).client.get_cookie("session", domain="127.0.0.1")
    assert cookie
    context.add_cookies([{"name": "session", "value": cookie.value, "url": address}])
