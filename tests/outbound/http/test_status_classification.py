"""The failure code of every HTTP status, and what it says about the arrival of the message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.failures import MEANINGS, Code
from webapp.outbound.http.status_classification import classify_status

REDIRECTS = [300, 301, 305, 306, 307, 308, 399]
SIGN_INS = [302, 303]
REFUSALS = {
    Code.BAD_REQUEST: [400, 412, 414, 417, 422, 428, 431, 463, 494],
    Code.AUTH_FAILED: [401, 407, 440],
    Code.FORBIDDEN: [402, 403, 419, 423, 451],
    Code.NOT_FOUND: [404, 421],
    Code.METHOD_NOT_ALLOWED: [405, 406, 411, 415, 426, 464, 501, 505],
    Code.GONE: [410],
    Code.PAYLOAD_TOO_LARGE: [413],
    Code.CLIENT_CERTIFICATE_REQUIRED: [495, 496],
    Code.REDIRECT_REFUSED: REDIRECTS,
}
RETRIED = {
    Code.RATE_LIMITED: [429],
    Code.REMOTE_UNAVAILABLE: [425, 503, 521, 522, 523],
    Code.NETWORK_UNREACHABLE: [511],
}
UNCERTAIN = {
    Code.SIGN_IN_PAGE: SIGN_INS,
    Code.GATEWAY_GAVE_UP: [408, 499, 502, 504, 520, 524, 525, 526, 527, 530, 598, 599],
    Code.REMOTE_ERROR: [500, 506, 507, 508, 510, 529, 561],
    Code.UNEXPECTED_STATUS: [101, 199, 304, 409, 418, 424, 498, 600, 999],
}
CASES = [
    pytest.param(status, code, id=f"{status}-{code}")
    for group in (REFUSALS, RETRIED, UNCERTAIN)
    for code, statuses in group.items()
    for status in statuses
]


@pytest.mark.parametrize("status", [200, 201, 202, 203, 204, 205, 206, 207, 226, 299])
def test_any_2xx_is_no_failure(status: int) -> None:
    assert classify_status(status) is None


@pytest.mark.parametrize(("status", "code"), CASES)
def test_every_other_status_has_its_code(status: int, code: Code) -> None:
    assert classify_status(status) is code


@pytest.mark.parametrize("code", REFUSALS)
def test_a_refused_message_has_not_arrived_and_is_not_retried(code: Code) -> None:
    assert (MEANINGS[code].may_have_arrived, MEANINGS[code].may_retry) == (False, False)


@pytest.mark.parametrize("code", RETRIED)
def test_a_message_that_was_put_off_has_not_arrived_and_is_retried(code: Code) -> None:
    assert (MEANINGS[code].may_have_arrived, MEANINGS[code].may_retry) == (False, True)


@pytest.mark.parametrize("code", UNCERTAIN)
def test_a_message_that_may_have_arrived_is_not_retried(code: Code) -> None:
    assert (MEANINGS[code].may_have_arrived, MEANINGS[code].may_retry) == (True, False)


@given(st.integers(100, 999))
def test_a_status_has_no_code_exactly_when_it_is_2xx(status: int) -> None:
    assert (classify_status(status) is None) == (status // 100 == 2)
