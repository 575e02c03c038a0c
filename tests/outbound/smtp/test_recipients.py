"""Recipients as people type and paste them."""

from time import monotonic

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webapp.outbound.smtp.email_addresses import is_mail_address
from webapp.outbound.smtp.recipients import read_recipients

ANN, BOB = "ann@example.com", "bob@example.com"
PIECES = [ANN, BOB, "Ann", "<", ">", '"', ",", ";", "\n", " ", "mailto:", "(", ")", "\u200b", "'", "[", "](", "@", "."]


@pytest.mark.parametrize(
    "typed",
    [
        f"{ANN},{BOB}",
        f"{ANN};{BOB};",
        f"{ANN} {BOB}",
        f"{ANN}\t{BOB}",
        f"{ANN}\u00a0{BOB}",
        f"\r\n{ANN}\r\n\r\n{BOB}\r\n",
        f"{ANN}\u2028{BOB}",
        f"{ANN} , ; {BOB} ,",
        f"{ANN}；{BOB}，",
        f"\ufeff{ANN}, \u200b{BOB}\u200b",
        f"<{ANN}> <{BOB}>",
        f"Ann <{ANN}>, Bob <{BOB}>",
        f"Ann Lee<{ANN}>;Bob <{BOB}>",
        f'"Lee, Ann" <{ANN}>; "Bob; the other" <{BOB}>',
        f"“Lee, Ann” <{ANN}>, „Bob“ <{BOB}>",
        f"Lee, Ann <{ANN}>; Smith, Bob <{BOB}>",
        f"Lee, Dr. Ann <{ANN}>, {BOB}",
        f"Ann <{ANN}> Bob <{BOB}>",
        f'"{ANN}" <{ANN}>, "x@elsewhere.example" <{BOB}>',
        f"{ANN} (Ann, in the office), {BOB}",
        f"mailto:{ANN}, MAILTO:{BOB}?subject=Test&body=x",
        f"mailto:{ANN},{BOB}",
        f"<mailto:{ANN}|{ANN}> <mailto:{BOB}|{BOB}>",
        f"[Ann](mailto:{ANN}) [{BOB}](mailto:{BOB})",
        f"'{ANN}', `{BOB}`",
        f'"{ANN}", "{BOB}"',
        f"[{ANN}, {BOB}]",
        f"{ANN}, {BOB}.",
        f"{ANN}, {BOB}, {ANN.upper()}, {ANN}",
    ],
)
def test_the_addresses_are_found(typed: str) -> None:
    assert read_recipients(typed) == [ANN, BOB]


@pytest.mark.parametrize(
    ("typed", "pieces"),
    [
        ("mailto:ops%2Balerts@example.com", ["ops+alerts@example.com"]),
        ("o'neil@example.com", ["o'neil@example.com"]),
        ("ops@müller.de", ["ops@xn--mller-kva.de"]),
        ("A@Example.com, a@example.com", ["A@example.com"]),
        ("", []),
        (" , ;\n", []),
    ],
)
def test_an_address_keeps_what_belongs_to_it(typed: str, pieces: list[str]) -> None:
    assert read_recipients(typed) == pieces


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        (f"{ANN}, bob", "bob"),
        (f"bob {ANN}", "bob"),
        (f"Bob {ANN}", "Bob"),
        (f"bob.example.com, Ann <{ANN}>", "bob.example.com"),
        ("Ann <>", "Ann <>"),
        ('"ann b"@example.com', '"ann b"@example.com'),
        ("bob@@example.com", "bob@@example.com"),
        (".bob@example.com", ".bob@example.com"),
        ("Night <night@example.com", "Night"),
        ("bob@localhost", "bob@localhost"),
        ("bøb@example.com", "bøb@example.com"),
        ("https://example.com/mail", "https://example.com/mail"),
        (f"{ANN}\x00", f"{ANN}\x00"),
    ],
)
def test_a_piece_that_is_no_address_is_not_lost(typed: str, wrong: str) -> None:
    assert wrong in read_recipients(typed)


@pytest.mark.slow
@given(typed=st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=12).map("".join))
@settings(deadline=None, max_examples=300)
def test_addresses_that_were_read_are_read_the_same_way_when_they_are_stored(typed: str) -> None:
    addresses = list(filter(is_mail_address, read_recipients(typed)))
    assert read_recipients(", ".join(addresses)) == addresses


@pytest.mark.parametrize("piece", ['"', "<", "(", '"<(', "[", "[](", "mailto:", "a@b", '"a" '])
def test_a_long_text_is_read_in_time(piece: str) -> None:
    began = monotonic()
    read_recipients(piece * 3000)
    assert monotonic() - began < 2
