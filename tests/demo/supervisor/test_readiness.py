"""The reasons from /readyz, for a person at a terminal."""

from pytest_httpserver import HTTPServer

from webapp.demo.supervisor.options import open_socket
from webapp.demo.supervisor.readiness import Readiness, fetch_readiness, parse_readiness


def test_a_200_means_ready(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/readyz").respond_with_json({"status": "ok"})
    assert fetch_readiness(httpserver.port) == Readiness(ready=True)


def test_a_503_gives_a_reason_for_each_missing_part(httpserver: HTTPServer) -> None:
    parts = {"status": "unavailable", "database": "ok", "queue": "does not answer", "worker": "not seen"}
    httpserver.expect_request("/readyz").respond_with_json(parts, status=503)
    assert fetch_readiness(httpserver.port).reasons == ("queue: does not answer", "worker: not seen")


def test_a_missing_web_process_is_a_reason() -> None:
    with open_socket(0) as listener:
        port = listener.getsockname()[1]
    assert fetch_readiness(port) == Readiness(ready=False, reasons=("web: does not respond yet",))


def test_a_response_without_a_report_is_a_reason() -> None:
    assert parse_readiness(500, b"<h1>Oops</h1>").reasons == ("web: returned 500 without a reason",)
