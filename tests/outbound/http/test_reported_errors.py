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
        {"errorMessage": "2026-11-03 Task timed out after 3.00 seconds"},
        {"errorMessage": "'text'", "errorType": "KeyError", "stackTrace": []},
        {"error_code": 3, "error_message": "no such channel"},
        {"statusCode": 500, "body": "{}"},
        {"status_code": "400", "message": "no"},
        {"code": 404, "message": "The requested webhook is not registered."},
        {"status": 599},
        {"code": 19002, "data": {}, "msg": "params error, msg_type need"},
        {"code": 19001, "msg": "param invalid: incoming webhook access token invalid"},
        {"code": 9499, "msg": "Bad Request"},
        {"code": -1, "msg": "no"},
        {"Success": False, "Error": None},
        {"isSuccess": False},
        {"accepted": False},
        {"status": False, "message": "no"},
        {"StatusCode": 400},
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
        {"errorCode": 0, "errorMessage": "Success", "error_code": "200"},
        {"statusCode": 200, "body": "{}"},
        {"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"},
        {"code": 0, "msg": "done"},
        {"code": 1, "msg": "done"},
        {"code": -1, "msg": "success"},
        {"status": True, "accepted": True, "Success": "true", "Error": ""},
        {"code": 399, "status": 600, "msg": "done"},
        {"code": 20000, "msg": "Successfully received"},
        {"code": 10000, "msg": "OK"},
        {"code": 20000, "msg": "操作成功"},
        {"code": 20000, "message": "accepted"},
        {"code": 20000, "msg": None},
        {"code": True, "msg": "done"},
        {"code": 1234567, "msg": "an id"},
        {"code": "E404", "msg": "a name"},
        {"code": 404.5},
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


def test_a_value_that_is_nested_as_deep_as_json_can_be_read_is_no_word() -> None:
    bodies = (b'{"ok":' + b"[" * depth + b"]" * depth + b"}" for depth in range(1_400, 1_600))
    assert not any(map(reports_error, bodies))
