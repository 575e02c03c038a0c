"""From which page a form was sent: at least one header proves our own page, and none contradicts it."""

import pytest
from werkzeug.datastructures import Headers

from webapp.auth.form_origin import PageOrigin, find_origin, judge_origin
from webapp.auth.form_refusals import FormRefusal

HERE = "https://alerts.example.com"
OWN, FOREIGN = f"{HERE}/w/harbor", "https://evil.example/page"
INSIDE = "https://127.0.0.1:8000"


def _judge(here: str = HERE, public_url: str | None = None, **sent: str) -> FormRefusal | None:
    return judge_origin(Headers([(name.replace("_", "-"), value) for name, value in sent.items()]), here, public_url)


@pytest.mark.parametrize(
    "sent",
    [
        {"Referer": OWN},
        {"Origin": HERE},
        {"Sec_Fetch_Site": "same-origin"},
        {"Origin": HERE, "Referer": OWN, "Sec_Fetch_Site": "same-origin"},
        {"Origin": HERE, "Referer": ""},
        {"Origin": "", "Sec_Fetch_Site": "same-origin"},
        {"Origin": f"{HERE}:443"},
        {"Origin": "HTTPS://Alerts.Example.com"},
    ],
)
def test_one_header_that_names_our_page_is_enough(sent: dict[str, str]) -> None:
    assert _judge(**sent) is None


@pytest.mark.parametrize("here", ["https://[2001:db8::1]:8443", "https://alerts.example.com:8443", "http://alerts.lan"])
def test_a_page_is_ours_at_any_host_and_port_of_the_request(here: str) -> None:
    assert _judge(here, Origin=here, Referer=f"{here}/sign-in") is None


@pytest.mark.parametrize(
    "sent",
    [
        {"Origin": "null"},
        {"Origin": "null", "Referer": OWN},
        {"Origin": "null", "Sec_Fetch_Site": "same-origin"},
    ],
)
def test_a_hidden_origin_is_refused_whatever_else_is_sent(sent: dict[str, str]) -> None:
    assert _judge(**sent) is FormRefusal.ORIGIN_HIDDEN


@pytest.mark.parametrize("sent", [{}, {"Origin": ""}, {"Origin": "", "Referer": "", "Sec_Fetch_Site": ""}])
def test_nothing_at_all_is_refused(sent: dict[str, str]) -> None:
    assert _judge(**sent) is FormRefusal.ORIGIN_MISSING


@pytest.mark.parametrize(
    "sent",
    [
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site", "Origin": HERE},
        {"Sec_Fetch_Site": "none", "Referer": OWN},
        {"Sec_Fetch_Site": "Same-Origin, cross-site", "Origin": HERE},
        {"Origin": HERE, "Referer": FOREIGN},
        {"Origin": FOREIGN, "Referer": OWN, "Sec_Fetch_Site": "same-origin"},
        {"Origin": f"{HERE}, https://evil.example"},
        {"Origin": f"{HERE}/, https://evil.example"},
        {"Origin": f"{HERE}/,null"},
        {"Origin": f"{HERE}?,https://evil.example", "Sec_Fetch_Site": "same-origin"},
        {"Origin": "https://[evil"},
        {"Origin": "evil"},
        {"Origin": "https://x@alerts.example.com"},
        {"Origin": "https://alerts.example.com\\@evil.example"},
        {"Referer": "about:blank"},
        {"Referer": "/w/harbor"},
        {"Origin": f"{HERE}:99999"},
    ],
)
def test_a_header_that_contradicts_is_refused_as_another_site(sent: dict[str, str]) -> None:
    assert _judge(**sent) is FormRefusal.OTHER_SITE


@pytest.mark.parametrize(
    ("here", "sent"),
    [
        (INSIDE, {"Origin": HERE, "Referer": OWN, "Sec_Fetch_Site": "same-origin"}),
        (INSIDE, {"Referer": OWN}),
        ("https://web:8000", {"Origin": HERE}),
        (HERE, {"Origin": f"{HERE}:8443", "Sec_Fetch_Site": "same-origin"}),  # nginx's $host has no port
        ("https://alertcheck.default.svc", {"Origin": HERE}),
    ],
)
def test_a_host_that_a_proxy_replaced_is_told_apart(here: str, sent: dict[str, str]) -> None:
    assert [_judge(here, public_url, **sent) for public_url in (None, HERE)] == [FormRefusal.HOST_NOT_PASSED] * 2


def test_an_unreadable_host_matches_no_page() -> None:
    assert _judge("https://alerts.example.com:x", Origin="https://evil:x") is FormRefusal.OTHER_SITE


def test_another_site_is_told_apart_where_the_proxy_passes_on_the_public_host() -> None:
    assert _judge(HERE, HERE, Origin="https://evil.example") is FormRefusal.OTHER_SITE


def test_a_page_over_http_is_told_apart() -> None:
    assert _judge(HERE, Origin="http://alerts.example.com", Sec_Fetch_Site="same-origin") is FormRefusal.SCHEME_DIFFERS


def test_the_origin_of_a_page_is_found_in_either_header() -> None:
    page = PageOrigin("http", "alerts.lan", 8000)

    assert find_origin(Headers({"Origin": "http://alerts.lan:8000"})) == page
    assert find_origin(Headers({"Referer": "http://alerts.lan:8000/sign-in?next=/x"})) == page
    assert find_origin(Headers({"Origin": "null"})) is None
