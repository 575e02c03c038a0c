"""A receiver on loopback in its own process, which responds after a delay and records when each message arrived.

Run it with `python -m benchmarks.receiver PORT SECONDS`. `GET /received` returns the recorded times.
"""

import asyncio
import json
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from webapp.demo.supervisor.processes import start, with_parent_death_signal

MESSAGE_ID = re.compile(rb"(?i)webhook-id: *(\S+)")
LENGTH = re.compile(rb"(?i)content-length: (\d+)")


@dataclass(frozen=True)
class Receiver:
    """A running receiver."""

    origin: str

    def received(self) -> dict[str, float]:
        """Return when each message arrived, by its id, in seconds of the monotonic clock, which all processes share."""
        received: dict[str, float] = requests.get(f"{self.origin}/received", timeout=10).json()
        return received


@contextmanager
def run_receiver(port: int, seconds: float, logs: Path) -> Iterator[Receiver]:
    """Run a receiver that responds after `seconds`."""
    command = with_parent_death_signal([sys.executable, "-m", "benchmarks.receiver", str(port), str(seconds)])
    child = start("receiver", command, log=logs / f"receiver-{port}.log", parent_death_signal=False)
    receiver = Receiver(f"http://127.0.0.1:{port}")
    try:
        _wait_until_ready(receiver)
        yield receiver
    finally:
        child.stop(grace_period=5)


def _wait_until_ready(receiver: Receiver) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            receiver.received()
        except requests.ConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


async def _serve(port: int, seconds: float) -> None:
    received: dict[str, float] = {}

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = LENGTH.search(head)
        await reader.readexactly(int(length[1]) if length else 0)
        if head.startswith(b"GET /received"):
            body = json.dumps(received).encode()
        else:
            found = MESSAGE_ID.search(head)
            received.setdefault(found[1].decode() if found else "", time.monotonic())
            await asyncio.sleep(seconds)
            body = b"ok"
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(respond, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2])))
