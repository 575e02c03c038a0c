"""The application, with all that it and its libraries can log in the file that `LOUD_LOG` names."""

import logging
import os
from pathlib import Path

from tests.end_to_end.canary.verbose_logging import logging_everything
from wsgi import app

__all__ = ["app"]

logging_everything(Path(os.environ["LOUD_LOG"])).__enter__()
# The worker tells RQ to keep to warnings. Not here.
logging.getLogger("rq.worker").setLevel = lambda level: None  # type: ignore[method-assign]
