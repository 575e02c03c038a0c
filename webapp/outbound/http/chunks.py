"""Reads the chunked body of a response (RFC 9112, section 7.1) within one limit of size, trailers included."""

import re
from http.client import HTTPException, IncompleteRead, LineTooLong
from io import BufferedReader

# Hexadecimal digits, then spaces that some servers pad the size with, then extensions. `int()` would also accept signs,
# underscores and 0x.
_SIZE_LINE = re.compile(rb"(0*)([0-9A-Fa-f]{1,16})[ \t]*((?:;[^\r\n]*)?)\r?\n")
_LINE_ENDS = frozenset({b"\r\n", b"\n"})

# Bytes of a size line that are free: sixteen digits and the line end.
_PLAIN_SIZE_LINE = 18


class ChunkedBody:
    """The body of one response.

    limit: bytes of content, padding, extensions and trailers together. What every chunk needs is free: its size in
    plain digits and its line ends. Each chunk has content, so the free bytes are limited as well.
    """

    def __init__(self, stream: BufferedReader, limit: int) -> None:
        self._stream = stream
        self._limit = limit
        self._left_in_chunk = 0
        self._is_first = True
        self._has_ended = False

    def read1(self, size: int) -> bytes:
        """Return up to `size` bytes of content, none at the end. Raises `HTTPException` or OSError.

        An error means that the body is badly framed, longer than the limit, or cut off.
        """
        if not self._left_in_chunk and not self._has_ended:
            self._start_chunk()
        if self._has_ended:
            return b""
        if not self._limit:
            raise LineTooLong("body")
        content = self._stream.read1(min(size, self._left_in_chunk, self._limit))
        if not content:
            raise IncompleteRead(b"")
        self._left_in_chunk -= len(content)
        self._spend(len(content))
        return content

    def _start_chunk(self) -> None:
        if not self._is_first and self._read_line(0, 2) not in _LINE_ENDS:
            raise HTTPException("a chunk is longer than its size")
        self._is_first = False
        line = self._read_line(self._limit, _PLAIN_SIZE_LINE)
        parts = _SIZE_LINE.fullmatch(line)
        if parts is None:
            raise HTTPException("not the size of a chunk")
        self._spend(len(line) - len(parts[2]) - 2)
        self._left_in_chunk = int(parts[2], 16)
        if not self._left_in_chunk:
            self._skip_trailers()

    def _skip_trailers(self) -> None:
        while (line := self._read_line(self._limit, 2)) not in _LINE_ENDS:
            self._spend(len(line))
        self._has_ended = True

    def _read_line(self, limit: int, free: int) -> bytes:
        line = self._stream.readline(limit + free)
        if not line.endswith(b"\n"):
            raise LineTooLong("chunk")
        return line

    def _spend(self, count: int) -> None:
        self._limit -= max(count, 0)  # a size line that ends without a CR is one byte shorter
        if self._limit < 0:
            raise LineTooLong("body")
