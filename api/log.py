"""Where a long-running Tidegate logs: in a file of its data folder, and to an operator on standard error."""

import contextlib
import logging
import logging.handlers
from collections.abc import Iterator
from pathlib import Path

_LIBRARIES = ("aiokafka", "faust", "mode", "uvicorn")
"""Their warnings are steps of a start that goes well; the file has them."""


@contextlib.contextmanager
def logged(data: Path) -> Iterator[None]:
    """Log to `tidegate.log` in the folder *data*, 4 files of 10 MB; our own warnings to standard error as well."""
    file = logging.handlers.RotatingFileHandler(data / "tidegate.log", maxBytes=10_000_000, backupCount=3)
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    shown = logging.StreamHandler()
    shown.setLevel(logging.WARNING)
    shown.addFilter(lambda record: record.name.split(".")[0] not in _LIBRARIES)
    shown.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.INFO)
    handlers = (file, shown)
    for handler in handlers:
        root.addHandler(handler)
    try:
        yield
    finally:
        root.setLevel(before)
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()
