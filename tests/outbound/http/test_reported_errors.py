"""Responses of 2xx whose JSON reports an error."""

import json

import pytest

from webapp.outbound.http.reported_errors import reports_error


@pytest.mark.parametrize(
    "answer",
    [
        {"errcode": 310000, "errmsg": "keywords not in content"},
        {"errcode": "93000"},
        {"ok": False},
        {"success": False, "message": "no"},
        {"success": "False"},
        {"error": "unknown channel"},
        {"error": {"code": 7}},
        {"error": True},
        {"errors": [{"message": "no"}]},
        {"status": "error"},
        {"status": "FAIL", "data": {}},
        {"result": "failure"},
        {"ok": True, "error": "half of it"},
    ],
)
def test_an_answer_that_reports_an_error_is_recognized(answer: object) -> None:
    assert reports_error(json.dumps(answer).encode())
    assert reports_error(b"\r\n " + json.dumps(answer, indent=1).encode())
    assert reports_error(json.dumps(answer).encode("utf-8-sig"))  # as PHP and .NET may begin a file


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"errcode": 0, "errmsg": "ok"},
        {"errcode": "", "error": "", "errors": []},
        {"errcode": "0", "error": "None", "errors": "no"},
        {"error": None, "errors": {}},
        {"error": False},
        {"ok": True},
        {"ok": None},
        {"success": 0},
        {"status": "ok"},
        {"status": 200, "result": "Request will be processed"},
        {"status": None, "result": {"error": "of an earlier message"}},
        {"data": {"error": "of an earlier message"}},
        {"message": "no error"},
        [{"error": "in a list"}],
        "error",
    ],
)
def test_any_other_answer_is_not(answer: object) -> None:
    assert not reports_error(json.dumps(answer).encode())


@pytest.mark.parametrize(
    "body", [b"", b"{", b"ok", b"error", b'{"error": "x"', b"{" * 9000, b"\xff\xfe{", b"{1" * 8000]
)
def test_what_is_no_json_reports_nothing(body: bytes) -> None:
    assert not reports_error(body)
