"""Email addresses: which ones are plain, and how a typed one becomes plain."""

import pytest

from webapp.outbound.smtp.email_addresses import canonical_address, is_mail_address, remove_repetitions


@pytest.mark.parametrize("address", ["ann@example.com", "a.b+c@mail.example.co.uk", "o'neil_1@xn--bcher-kva.example"])
def test_a_plain_address_is_accepted(address: str) -> None:
    assert is_mail_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ann",
        "ann@",
        "@example.com",
        "ann@localhost",
        "ann@[127.0.0.1]",
        "ann@127.0.0.1",
        "ann@example..com",
        "ann@-example.com",
        ".ann@example.com",
        "ann.@example.com",
        "ann bob@example.com",
        '"ann"@example.com',
        "Ann <ann@example.com>",
        "ann@example.com\r\nRCPT TO:<eve@example.com>",
        "ann@example.com\n",
        "änn@example.com",
        "ann@exämple.com",
        "ann@example.com.",
        "=?utf-8?q?x=0D=0ABcc=3A?=@example.com",
        f"{'a' * 65}@example.com",
        f"ann@{'a' * 64}.com",
        f"ann@{'a.' * 125}com",
    ],
)
def test_any_other_address_is_refused(address: str) -> None:
    assert not is_mail_address(address)


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("Ann@Example.COM", "Ann@example.com"),
        ("ops@müller.de", "ops@xn--mller-kva.de"),
        ("ops@MÜLLER.de", "ops@xn--mller-kva.de"),
        ("ops@例え.jp", "ops@xn--r8jz45g.jp"),
        ("ann@example.com.", "ann@example.com"),
    ],
)
def test_a_domain_is_in_lower_case_and_in_ascii(typed: str, canonical: str) -> None:
    assert canonical_address(typed) == canonical


@pytest.mark.parametrize("typed", ["Ann", "", "Ann@", "änn@Example.com", "ann@Ex ample.com", "ann@MÜLLER", "a@b@C.de"])
def test_what_is_no_address_stays_as_it_is(typed: str) -> None:
    assert canonical_address(typed) == typed


def test_addresses_that_differ_only_in_case_are_one_mailbox_as_it_was_written_first() -> None:
    addresses = ["Bob@example.com", "A@example.com", "a@example.com", "bob@example.com", "a@example.org"]
    assert remove_repetitions(addresses) == ["Bob@example.com", "A@example.com", "a@example.org"]
