"""One broker a data folder: the lock that its owner, its guard and Java hold together."""

import fcntl
import json
import os
import time
from pathlib import Path

from streams.errors import BrokerError

WAIT_SECONDS = 35.0
"""How long to wait for a broker whose owner is gone and which is still stopping."""


def take(file: Path) -> int:
    """Lock the data folder; return the descriptor. Whoever inherits it holds the lock too, until the last has ended.

    Raises BrokerError with the holder's process id. Where the holder is gone and only its broker is still stopping,
    that is waited for.
    """
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    until = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            holder = _holder(file)
            if holder is None or _alive(holder) or time.monotonic() > until:
                os.close(descriptor)
                who = "another process" if holder is None else f"process {holder}"
                raise BrokerError(
                    f"{file.parent} is in use by the embedded broker of {who}:"
                    " stop that one, or set TIDEGATE_DATA to another folder"
                ) from None
        time.sleep(0.1)


def sign(file: Path, java: int) -> None:
    """Say in the lock file whose it is: this process's id, and Java's."""
    file.write_text(json.dumps({"pid": os.getpid(), "java": java}))


def _holder(file: Path) -> int | None:
    """The process id in a lock file; None when its holder hasn't signed it yet."""
    try:
        return int(json.loads(file.read_text())["pid"])
    except (ValueError, KeyError):
        return None


def _alive(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
