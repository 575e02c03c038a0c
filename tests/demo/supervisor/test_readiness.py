"""What /readyz says, for a person at a terminal."""

from pytest_httpserver import HTTPServer

from webapp.demo.supervisor.options import open_socket
from webapp.demo.supervisor.readiness import Readiness, fetch_readiness, parse_readiness


def test_a_200_is_ready(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/readyz").respond_with_json({"status": "ok"})
    assert fetch_readiness(httpserver.port) == Readiness(ready=True)


def test_a_503_gives_a_reason_for_each_part_that_is_missing(httpserver: HTTPServer) -> None:
    parts = {"status": "unavailable", "database": "ok", "queue": "does not answer", "worker": "not seen"}
    httpserver.expect_request("/readyz").respond_with_json(parts, status=503)
    assert fetch_readiness(httpserver.port).reasons == ("queue: does not answer", "worker: not seen")


def test_a_web_process_that_is_not_there_is_a_reason() -> None:
    with open_socket(0) as listener:
        port = listener.getsockname()[1]
    assert fetch_readiness(port) == Readiness(ready=False, reasons=("web: does not respond yet",))


def test_an_answer_that_is_no_report_is_a_reason() -> None:
    assert parse_readiness(500, b"<h1>Oops</h1>").reasons == ("web: returned 500 without a reason",)
