"""Scripts of hostile receivers, by name. Each takes the parameters of its case in attacks.json."""

import gzip
import socket
import struct
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import chain, repeat
from time import sleep

from benchmarks.installation.scripted_server import Script

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
BLOCK = b"x" * 65536
PAUSE = 0.05


def script_of(name: str, given: Mapping[str, object]) -> Script:
    """Return the script with this name and its parameters, ready for a connection."""
    return partial(globals()[f"_{name}"], **{key: value for key, value in given.items() if key != "body_bytes"})


def reads_first(name: str) -> bool:
    """Return whether the request must be read before the script starts."""
    return name not in {"hangs_up", "never_reads", "refused_unread"}


def _send(connection: socket.socket, *pieces: bytes) -> None:
    connection.sendall(b"".join(pieces))


def _stream(connection: socket.socket, pieces: Iterator[bytes], pause: float = 0.0) -> None:
    for piece in pieces:
        connection.sendall(piece)
        sleep(pause)


def _wait(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def _plain(connection: socket.socket, status: int, body: str = "", headers: Mapping[str, str] | None = None) -> None:
    lines = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
    content = body.encode()
    head = f"HTTP/1.1 {status} Whatever\r\nContent-Length: {len(content)}\r\n{lines}\r\n"
    _send(connection, head.encode(), content)


def _redirect(connection: socket.socket, status: int, location: str) -> None:
    _plain(connection, status, headers={"Location": location})


def _dribbled_handshake(connection: socket.socket) -> None:
    """Announce a handshake message of 16 KiB and send it byte by byte, each within the wait for the next."""
    _stream(connection, chain([b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc"], repeat(b"\x00", 100)), PAUSE)


_FOUND = b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\n\r\n"


def _redirect_with_endless_body(connection: socket.socket) -> None:
    _stream(connection, chain([_FOUND], repeat(BLOCK)))


def _redirect_with_dribbled_body(connection: socket.socket) -> None:
    _stream(connection, chain([_FOUND], repeat(b"x")), PAUSE)


def _dribbled_status(connection: socket.socket) -> None:
    _stream(connection, chain([b"HTTP/1.1 200 "], repeat(b"O")), PAUSE)


def _dribbled_headers(connection: socket.socket) -> None:
    _stream(connection, chain([OK], repeat(b"X-More: 1\r\n")), PAUSE * 2)


def _dribbled_body(connection: socket.socket) -> None:
    _stream(connection, chain([OK, b"Content-Length: 1000000\r\n\r\n"], repeat(b"x")), PAUSE)


def _dribbled_chunks(connection: socket.socket) -> None:
    _stream(connection, chain([CHUNKED], repeat(b"1\r\nx\r\n")), PAUSE)


def _endless_continue(connection: socket.socket) -> None:
    _stream(connection, repeat(b"HTTP/1.1 100 Continue\r\n\r\n" * 100))


def _early_hints(connection: socket.socket) -> None:
    _stream(connection, repeat(b"HTTP/1.1 103 Early Hints\r\nLink: </x.css>\r\n\r\n"))


def _interim_dribbled(connection: socket.socket) -> None:
    _stream(connection, repeat(b"HTTP/1.1 102 Processing\r\n\r\n"), PAUSE)


def _interim_then_ok(connection: socket.socket) -> None:
    _send(connection, b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x.css>\r\n\r\n")
    _plain(connection, 200, "ok")


def _status_line(connection: socket.socket, status: str) -> None:
    _send(connection, f"HTTP/1.1 {status} OK\r\nContent-Length: 2\r\n\r\nok".encode())


def _endless_body(connection: socket.socket) -> None:
    _stream(connection, chain([OK, b"\r\n"], repeat(BLOCK)))


def _endless_trailers(connection: socket.socket) -> None:
    _stream(connection, chain([CHUNKED, b"0\r\n"], repeat(b"X-More: 1\r\n" * 1000)))


def _trailers(connection: socket.socket, size: int) -> None:
    _send(connection, CHUNKED, b"5\r\nhello\r\n0\r\nX-More: ", b"x" * (size - len(b"X-More: \r\n")), b"\r\n\r\n")


def _dribbled_trailers(connection: socket.socket) -> None:
    _stream(connection, chain([CHUNKED, b"0\r\n"], repeat(b"X-More: 1\r\n")), PAUSE)


def _endless_trailer(connection: socket.socket) -> None:
    _stream(connection, chain([CHUNKED, b"0\r\nX-More: "], repeat(BLOCK)))


def _endless_extensions(connection: socket.socket) -> None:
    _stream(connection, chain([CHUNKED], repeat(b"1;" + b"x" * 60_000 + b"\r\nx\r\n")))


def _endless_zeros(connection: socket.socket) -> None:
    _stream(connection, chain([CHUNKED], repeat(b"0" * 65536)))


def _zeros_in_each_size(connection: socket.socket) -> None:
    _stream(connection, chain([CHUNKED], repeat((b"0" * 2000 + b"1\r\nx\r\n") * 30)))


def _compressed_thrice(connection: socket.socket) -> None:
    bomb = gzip.compress(gzip.compress(gzip.compress(bytes(10**7))))
    head = f"Content-Encoding: gzip, gzip, gzip\r\nContent-Length: {len(bomb)}\r\n\r\n"
    _send(connection, OK, head.encode(), bomb)


def _brotli(connection: socket.socket) -> None:
    _stream(connection, chain([OK, b"Content-Encoding: br\r\n\r\n"], repeat(b"\xff\xff\x3f\x00" * 4096)))


def _not_really_gzip(connection: socket.socket) -> None:
    _send(connection, OK, b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello")


def _many_headers(connection: socket.socket) -> None:
    _stream(connection, chain([OK], repeat(b"X-More: 1\r\n" * 100, 1000), [b"\r\n"]))


def _headers_by_bare_returns(connection: socket.socket) -> None:
    _stream(connection, chain([OK], repeat(b"A:b\r" * 16_000 + b"\n", 99), [b"\r\n"]))


def _one_bare_return(connection: socket.socket) -> None:
    _send(connection, OK, b"X-More: 1\rContent-Length: 0\r\n\r\n")


def _wide_headers(connection: socket.socket) -> None:
    _stream(connection, chain([OK], repeat(b"X-More: " + b"x" * 65_000 + b"\r\n", 99), [b"\r\n"]))


def _padded(connection: socket.socket, size: int, interim: bool) -> None:
    first = b"HTTP/1.1 103 Early Hints\r\n\r\n" if interim else b""
    start, end = first + OK + b"X-More: ", b"\r\nContent-Length: 2\r\n\r\n"
    _send(connection, start, b"x" * (size - len(start) - len(end)), end, b"ok")


def _dribbled_body_without_length(connection: socket.socket) -> None:
    _stream(connection, chain([OK, b"\r\n"], repeat(b"x")), PAUSE)


def _small_chunks(connection: socket.socket) -> None:
    _send(connection, CHUNKED, b"1\r\nx\r\n" * 16_000, b"0\r\n\r\n")


def _endless_header(connection: socket.socket) -> None:
    _stream(connection, chain([OK, b"X-More: "], repeat(BLOCK)))


def _endless_chunk_line(connection: socket.socket) -> None:
    _stream(connection, chain([CHUNKED, b"1;"], repeat(BLOCK)))


def _never_reads(connection: socket.socket) -> None:
    sleep(4)


def _cut_in_headers(connection: socket.socket) -> None:
    _send(connection, OK, b"Content-Type: text/pl")


def _cut_in_status(connection: socket.socket) -> None:
    _send(connection, b"HTTP/1.1 20")


def _cut_in_body(connection: socket.socket) -> None:
    _send(connection, OK, b"Content-Length: 100\r\n\r\nhalf")


def _cut_in_chunk(connection: socket.socket) -> None:
    _send(connection, CHUNKED, b"5\r\nhel")


def _reset_in_body(connection: socket.socket) -> None:
    _cut_in_body(connection)
    sleep(PAUSE)
    _resets(connection)


def _silent_in_body(connection: socket.socket) -> None:
    _cut_in_body(connection)
    _wait(connection)


def _tls_alert(connection: socket.socket) -> None:
    _send(connection, b"\x15\x03\x03\x00\x02\x02\x50")


def _hangs_up(connection: socket.socket) -> None:
    connection.close()


def _resets(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _negative_chunk(connection: socket.socket) -> None:
    _send(connection, CHUNKED, b"-5\r\nhello\r\n0\r\n\r\n")


def _huge_chunk(connection: socket.socket) -> None:
    _send(connection, CHUNKED, b"ffffffffffffffff\r\nhello")


def _long_chunk_extension(connection: socket.socket) -> None:
    _send(connection, CHUNKED, b"5;", b"x" * 2**20, b"\r\nhello\r\n0\r\n\r\n")


def _negative_length(connection: socket.socket) -> None:
    _send(connection, OK, b"Content-Length: -1\r\n\r\nhello")


def _two_lengths(connection: socket.socket) -> None:
    _send(connection, OK, b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!")


def _length_and_chunks(connection: socket.socket) -> None:
    _send(connection, OK, b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")


def _secure_shell(connection: socket.socket) -> None:
    _send(connection, b"SSH-2.0-OpenSSH_9.6\r\n")
    _wait(connection)


def _key_value_store(connection: socket.socket) -> None:
    _send(connection, b"-ERR unknown command 'POST'\r\n")
    _wait(connection)


def _silent(connection: socket.socket) -> None:
    _wait(connection)


def _echoed_path(connection: socket.socket) -> None:
    _send(connection, b"HTTP/1.1 404 No /hook/canary here\r\nX-Was: /hook/canary\r\n odd: x\r\n\r\n/hook/canary")


def _cookie(connection: socket.socket) -> None:
    _plain(connection, 200, headers={"Set-Cookie": "seen=before; Path=/"})


def _continue_then_ok(connection: socket.socket) -> None:
    _send(connection, b"HTTP/1.1 100 Continue\r\n\r\n")
    _plain(connection, 200, "ok")


def _refused_unread(connection: socket.socket) -> None:
    connection.recv(1000)
    _plain(connection, 413, "too much")
    connection.shutdown(socket.SHUT_WR)
    _wait(connection)
