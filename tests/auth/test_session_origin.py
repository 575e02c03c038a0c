"""What a session came from: names of usual browsers and systems, and networks instead of addresses."""

import pytest

from webapp.auth.session_origin import mask_address, name_browser

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/140.0 Safari/537.36", "Chrome on Windows"),
        (f"Mozilla/5.0 (Windows NT 10.0) {WEBKIT} Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        (f"Mozilla/5.0 (Linux; Android 15) {WEBKIT} Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        (
            f"Mozilla/5.0 (Linux; Android 15) {WEBKIT} SamsungBrowser/28 Chrome/130 Safari",
            "Samsung Internet on Android",
        ),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.0 Safari/605.1.15", "Safari on macOS"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18 Mobile Safari/604", "Safari on iPhone"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) CriOS/140 Mobile Safari/604", "Chrome on iPhone"),
        ("Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) FxiOS/140 Mobile Safari/604", "Firefox on iPad"),
        (f"Mozilla/5.0 (X11; CrOS x86_64) {WEBKIT} Chrome/140.0 Safari/537.36", "Chrome on ChromeOS"),
        (f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} Chrome/140 Safari/537.36 OPR/120", "Opera on Linux"),
        ("curl/8.0", "Another browser"),
        ("Something (Windows)", "Another browser on Windows"),
        ("", "Another browser"),
        ("<script>" * 1000, "Another browser"),
    ],
)
def test_usual_browsers_are_named(user_agent: str, name: str) -> None:
    assert name_browser(user_agent) == name


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("203.0.113.77", "203.0.113.x"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("::ffff:203.0.113.77", "203.0.113.x"),
        ("fe80::1%eth0", "fe80::/48"),
        ("", None),
        ("unix:", None),
    ],
)
def test_an_address_is_masked(address: str, masked: str | None) -> None:
    assert mask_address(address) == masked
