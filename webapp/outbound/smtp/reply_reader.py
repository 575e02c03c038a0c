"""Reads a mail server's replies line by line, none longer than there is any use for."""

from io import BufferedReader

MAX_LINE = 1000
"""Bytes of one line; RFC 5321, section 4.5.3.1.5, has 512."""

MAX_REPLY = 64 * 1024
"""Bytes of one reply over all its lines; smtplib would collect them without end."""


class ReplyTooLong(ValueError):
    """The server talks on and on."""


class ReplyReader(BufferedReader):
    """What smtplib reads from, in place of a plain file around the socket."""

    _left = MAX_REPLY

    def readline(self, size: int | None = -1, /) -> bytes:
        """Return the next line. Raises `ReplyTooLong`: as an OSError, smtplib would take it for a lost connection."""
        line = super().readline(MAX_LINE + 1)
        self._left -= len(line)
        if len(line) > MAX_LINE or self._left < 0:
            raise ReplyTooLong
        if line[3:4] != b"-":  # the last line of its reply (RFC 5321, section 4.2.1)
            self._left = MAX_REPLY
        return line
