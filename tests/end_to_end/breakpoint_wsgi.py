"""The application, in processes that stop where a trap is laid in the directory `TRAPS`."""

import os
from pathlib import Path

from tests.end_to_end.breakpoints import Traps
from wsgi import app

__all__ = ["app"]

Traps(Path(os.environ["TRAPS"])).arm()
