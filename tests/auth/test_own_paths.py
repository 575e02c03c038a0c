"""No text that a request contains leads to another site."""

import pytest

from webapp.auth.own_paths import find_path, read_own_path

HOSTILE = (
    *(
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "\\/evil.example",
        "/\t/evil.example",
    ),
    *("/\n/evil.example", "/\r\n/evil.example", "\t//evil.example", " /w", "/w ", "/\x00/evil.example", "/\x7f/evil"),
    *("https:evil.example", "https:/evil.example", "https:///evil.example", "HTTPS://evil.example", "evil.example"),
    *(
        "javascript:alert(1)",
        "data:text/html,x",
        "%2F%2Fevil.example",
        "/\u2028/evil",
        "/\u202e/evil",
        "",
        "?next=//evil",
    ),
)


@pytest.mark.parametrize("text", HOSTILE)
def test_an_address_of_another_site_is_not_a_path_of_ours(text: str) -> None:
    assert read_own_path(text) is None


@pytest.mark.parametrize("text", ["/", "/w/harbor/destinations?q=a%20b", "/%2F%2Fevil.example", "/%5Cevil", "/@evil"])
def test_a_path_of_ours_is_kept_as_it_is(text: str) -> None:
    assert read_own_path(text) == text


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://alerts.example.com/w/harbor?q=1#top", "/w/harbor"),
        ("https://alerts.example.com", None),
        ("https://alerts.example.com//evil.example", None),
        ("https://[evil", None),
    ],
)
def test_the_path_of_an_address_is_found(url: str, path: str | None) -> None:
    assert find_path(url) == path
