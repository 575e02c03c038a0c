"""A small disk of a test's own, which can be full: memory, mounted where only processes that are put there see it."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.installation.servers import ServiceMissing
from webapp.demo.supervisor.processes import Child, start, with_parent_death_signal

SIZE = "4m"
MOUNT = 'mount -t tmpfs -o size="$1" none "$0" && exec sleep 600'
NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount")
"""Lets everybody mount, as long as it is for themselves."""

START_LIMIT = 10.0
"""Seconds within which it has to be mounted."""


@dataclass(frozen=True)
class SmallDisk:
    """A mounted disk.

    directory: where it is for a process that is started by `prefix`.
    outside: where it is for everybody else.
    """

    directory: Path
    outside: Path
    prefix: tuple[str, ...]

    def fill(self) -> None:
        """Leave no byte free."""
        with (self.outside / "ballast").open("wb", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(bytes(4096))
            except OSError:
                return

    def free(self) -> None:
        """Make room again."""
        (self.outside / "ballast").unlink()


@contextmanager
def small_disk(directory: Path, log: Path) -> Iterator[SmallDisk]:
    """Have a disk at `directory` for the length of a `with`; raise `ServiceMissing` where nobody may mount one."""
    if not all(map(shutil.which, ("unshare", "nsenter"))):
        raise ServiceMissing("no disk to fill: there is no unshare or no nsenter")
    directory.mkdir()
    keeper = start(
        "small disk",
        [*NAMESPACE, *with_parent_death_signal(["sh", "-c", MOUNT, str(directory), SIZE])],
        log=log,
        parent_death_signal=False,
    )
    try:
        yield _find(directory, keeper)
    finally:
        keeper.kill()


def _find(directory: Path, keeper: Child) -> SmallDisk:
    outside = Path(f"/proc/{keeper.pid}/root{directory}")
    deadline = time.monotonic() + START_LIMIT
    while not outside.exists() or not os.path.ismount(outside):
        if keeper.exit_code() is not None or time.monotonic() > deadline:
            raise ServiceMissing(f"no disk to fill: {keeper.describe_end()}")
        time.sleep(0.02)
    enter = ("nsenter", f"--target={keeper.pid}", "--user", "--mount", "--preserve-credentials", "--wd")
    return SmallDisk(directory, outside, enter)
