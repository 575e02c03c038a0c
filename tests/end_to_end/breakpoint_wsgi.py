"""The application in processes that stop at the breakpoints set in the directory `BREAKPOINTS`."""

import os
from pathlib import Path

from tests.end_to_end.breakpoints import Breakpoints
from wsgi import app

__all__ = ["app"]

Breakpoints(Path(os.environ["BREAKPOINTS"])).install()
