"""The chunked body of a response: what counts against its limit, and where reading stops."""

import io
from collections.abc import Callable, Iterator
from http.client import HTTPException
from itertools import chain, repeat
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.outbound.http.chunks import ChunkedBody

LIMIT = 1000
BUFFER = 8192


class Wire(io.RawIOBase):
    """A connection that delivers these pieces and counts the bytes that were taken from it."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.pieces = pieces
        self.pending = b""
        self.taken = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.pending = self.pending or next(self.pieces, b"")
        piece, self.pending = self.pending[: len(buffer)], self.pending[len(buffer) :]
        buffer[: len(piece)] = piece
        self.taken += len(piece)
        return len(piece)


def _read(wire: bytes, limit: int = LIMIT) -> bytes:
    """Return the whole body, or raise."""
    body = ChunkedBody(io.BufferedReader(Wire(iter([wire]))), limit)
    return b"".join(iter(lambda: body.read1(64), b""))


def _is_complete(wire: bytes) -> bool:
    try:
        _read(wire)
    except HTTPException:
        return False
    return True


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=15))
def test_the_content_of_all_chunks_is_read(chunks: list[bytes]) -> None:
    wire = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"

    assert _read(wire) == b"".join(chunks)


@given(st.binary(max_size=200))
def test_any_bytes_end_with_content_or_an_error(wire: bytes) -> None:
    assert _is_complete(wire) in (True, False)
    assert _is_complete(b"3\r\nabc\r\n" + wire) in (True, False)


@pytest.mark.parametrize(
    "wire",
    [
        b"5\r\nhello\r\n0\r\n\r\n",
        b"5\nhello\n0\n\n",
        b"5   \r\nhello\r\n0\r\n\r\n",
        b'5;name="a b";other\r\nhello\r\n0;last\r\n\r\n',
        b"0005\r\nhello\r\n000\r\n\r\n",
        b"5\r\nhello\r\n0\r\nX-Checksum: 1\r\nX-More: 2\r\n\r\n",
    ],
)
def test_padding_extensions_and_trailers_are_skipped(wire: bytes) -> None:
    assert _read(wire) == b"hello"


@pytest.mark.parametrize(
    "wire",
    [
        b"",
        b"5\r\nhel",
        b"5\r\nhello\r\n",
        b"5\r\nhello\r\n0\r\n",
        b"5\r\nhello\r\n0\r\nX-More: 1\r\n",
        b"5\r\nhello!\r\n0\r\n\r\n",
        b"-5\r\nhello\r\n0\r\n\r\n",
        b"+5\r\nhello\r\n0\r\n\r\n",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"0_5\r\nhello\r\n0\r\n\r\n",
        b"five\r\nhello\r\n0\r\n\r\n",
        b"\r\nhello\r\n0\r\n\r\n",
        b";5\r\nhello\r\n0\r\n\r\n",
        b"5\rhello\r\n0\r\n\r\n",
        b"fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    ],
)
def test_a_badly_framed_or_truncated_body_is_an_error(wire: bytes) -> None:
    assert not _is_complete(wire)


@pytest.mark.parametrize(("over", "complete"), [(0, True), (1, False)])
@pytest.mark.parametrize(
    "wire",
    [
        lambda size: b"%x\r\n%b\r\n0\r\n\r\n" % (size, b"x" * size),
        lambda size: b"1;%b\r\nx\r\n0\r\n\r\n" % (b"x" * (size - 2)),
        lambda size: b"%b1\r\nx\r\n0\r\n\r\n" % (b"0" * (size - 1)),
        lambda size: b"1%b\r\nx\r\n0\r\n\r\n" % (b" " * (size - 1)),
        lambda size: b"1\r\nx\r\n0;%b\r\n\r\n" % (b"x" * (size - 2)),
        lambda size: b"1\r\nx\r\n0\r\nX: %b\r\n\r\n" % (b"x" * (size - 6)),
        lambda size: b"1\r\nx\r\n0\r\n%b%b\r\n\r\n" % (b"A: 1\r\n" * 50, b"x" * (size - 303)),
    ],
    ids=["content", "extension", "zeros", "spaces", "last extension", "a trailer", "many trailers"],
)
def test_everything_but_the_plain_framing_counts_against_the_limit(
    wire: Callable[[int], bytes], over: int, complete: bool
) -> None:
    assert _is_complete(wire(LIMIT + over)) is complete


@pytest.mark.parametrize(
    "endless",
    [
        chain([b"0\r\n"], repeat(b"X-More: 1\r\n")),
        chain([b"0\r\nX-More: "], repeat(b"x" * 100)),
        chain([b"0;"], repeat(b"x" * 100)),
        repeat(b"1;" + b"x" * 90 + b"\r\nx\r\n"),
        repeat(b"0" * 15 + b"1\r\nx\r\n"),
        repeat(b"0" * 100),
        repeat(b" " * 100),
        repeat(b"\r\n"),
        repeat(b"1\r\nx\r\n"),
        chain([b"ffffffff\r\n"], repeat(b"x" * 100)),
    ],
    ids=[
        "trailers",
        "a trailer",
        "an extension",
        "extensions",
        "zeros in each size",
        "zeros",
        "spaces",
        "blank lines",
        "chunks",
        "a chunk",
    ],
)
def test_an_endless_body_is_left_after_a_few_kilobytes(endless: Iterator[bytes]) -> None:
    wire = Wire(endless)
    body = ChunkedBody(io.BufferedReader(wire, BUFFER), LIMIT)

    with pytest.raises(HTTPException):
        _ = list(iter(lambda: body.read1(64), b""))

    assert wire.taken <= 6 * LIMIT + 2 * BUFFER


def test_content_up_to_the_limit_is_returned_before_the_error() -> None:
    body = ChunkedBody(io.BufferedReader(Wire(iter([b"7d0\r\n" + b"x" * 2000]))), LIMIT)

    assert b"".join(body.read1(600) for _ in range(2)) == b"x" * LIMIT
    with pytest.raises(HTTPException):
        body.read1(600)


def test_after_the_end_nothing_more_is_read() -> None:
    body = ChunkedBody(io.BufferedReader(Wire(iter([b"0\r\n\r\n5\r\nhello\r\n"]))), LIMIT)

    assert [body.read1(10), body.read1(10)] == [b"", b""]
