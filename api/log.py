"""Where a long-running Tidegate logs: JSON lines in a file of its data folder, and to an operator on standard error."""

import contextlib
import logging
import logging.handlers
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path

import orjson
from typing_extensions import override

REQUEST: ContextVar[str] = ContextVar("REQUEST", default="")
"""The id of the request that is answered; what is logged meanwhile names it."""

_LIBRARIES = ("aiokafka", "faust", "mode", "uvicorn")
"""Their warnings are steps of a start that goes well; the file has them."""


class Lines(logging.Formatter):
    """A JSON object a line: `at`, `level`, `logger`, `message`; `request` where one is answered; `error`; and more."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request := REQUEST.get():
            line["request"] = request
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


@contextlib.contextmanager
def logged(data: Path) -> Iterator[None]:
    """Log to `tidegate.log` in the folder *data*, 4 files of 10 MB; our own warnings to standard error as well."""
    file = logging.handlers.RotatingFileHandler(data / "tidegate.log", maxBytes=10_000_000, backupCount=3)
    file.setFormatter(Lines())
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
