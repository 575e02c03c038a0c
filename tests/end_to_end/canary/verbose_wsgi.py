"""The application, with everything that it and its libraries log in the file `VERBOSE_LOG`."""

import logging
import os
from pathlib import Path

from tests.end_to_end.canary.verbose_logging import logging_everything
from wsgi import app

__all__ = ["app"]

logging_everything(Path(os.environ["VERBOSE_LOG"])).__enter__()
# The worker limits RQ to warnings; here RQ logs everything.
logging.getLogger("rq.worker").setLevel = lambda level: None  # type: ignore[method-assign]
