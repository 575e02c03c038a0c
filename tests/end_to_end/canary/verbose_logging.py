"""Makes every library log everything."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def logging_everything(file: Path) -> Iterator[None]:
    """Write the records of all loggers at all levels to `file`, for the length of a `with`."""
    root, handler = logging.getLogger(), logging.FileHandler(file)
    loggers = [root, *map(logging.getLogger, root.manager.loggerDict)]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.NOTSET)
    root.setLevel(logging.DEBUG)
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        handler.close()
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
