"""A small in-memory disk that a test can fill, mounted in a namespace that only chosen processes enter."""

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
# A user namespace lets any user mount a disk that is visible inside it only.
NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount")

# Seconds for mounting the disk.
START_LIMIT = 60.0


@dataclass(frozen=True)
class SmallDisk:
    """A mounted disk.

    directory: its path for a process started with `prefix`.
    outside: its path for every other process.
    """

    directory: Path
    outside: Path
    prefix: tuple[str, ...]

    def fill(self) -> None:
        """Fill the disk completely."""
        with (self.outside / "ballast").open("wb", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(bytes(4096))
            except OSError:
                return

    def free(self) -> None:
        """Free the space that `fill` took."""
        (self.outside / "ballast").unlink()


@contextmanager
def small_disk(directory: Path, log: Path) -> Iterator[SmallDisk]:
    """Mount a disk at `directory` inside a `with`. Raises `ServiceMissing` where mounting is not allowed."""
    if not all(map(shutil.which, ("unshare", "nsenter"))):
        raise ServiceMissing("no disk to fill: unshare or nsenter is not installed")
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
