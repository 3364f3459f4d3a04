"""Which Tidegate runs on a data folder: one at a time, held by a lock that dies with its process."""

import contextlib
import fcntl
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from streams.errors import SettingsError, TidegateError

Kind = Literal["up", "worker", "node"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """What a running Tidegate tells others on this machine, in `run.json` of its data folder; no secrets."""

    kind: Kind
    pid: int
    api: str
    """Where its HTTP API listens, such as http://127.0.0.1:8700."""
    bootstrap_servers: str
    topic_prefix: str
    started: str
    """ISO 8601, UTC."""
    https: str = ""
    """Where it listens for https; empty: it doesn't."""


class NotRunning(TidegateError):
    """Nothing runs on the data folder that was asked."""


class Claim:
    """The right to run on a data folder; leave the context to give it back."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._file: int | None = None

    def __enter__(self) -> "Claim":
        """Take it. Raises TidegateError, naming the process, when another one has it."""
        try:
            self._data.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file = os.open(_lock(self._data), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise SettingsError(f"TIDEGATE_DATA: {self._data} can't be used: {error.strerror}") from error
        if not _lock_whole(self._file):
            pid = os.pread(self._file, 20, 0).decode() or "unknown"
            os.close(self._file)
            self._file = None
            raise TidegateError(
                f"another Tidegate (pid {pid}) runs on {self._data}; stop it, or set TIDEGATE_DATA to another folder"
            )
        _run(self._data).unlink(missing_ok=True)  # of one that was killed
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, str(os.getpid()).encode(), 0)
        return self

    def __exit__(self, *_: object) -> None:
        _run(self._data).unlink(missing_ok=True)
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def announce(self, running: Running) -> None:
        """Tell the others where to find us."""
        partial = _run(self._data).with_suffix(".partial")
        partial.write_text(json.dumps(asdict(running), indent=2) + "\n")
        partial.replace(_run(self._data))


def find(data: Path) -> Running | None:
    """Return what runs on the folder *data* and is ready, or None; what a killed process left behind doesn't count."""
    try:
        file = os.open(_lock(data), os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:  # somebody has it
        with contextlib.suppress(OSError, ValueError, TypeError):
            return Running(**json.loads(_run(data).read_text()))
        return None
    finally:
        os.close(file)
    return None


def need(data: Path) -> Running:
    """Return what runs on the folder *data*. Raises NotRunning."""
    running = find(data)
    if running is None:
        raise NotRunning(absent(data))
    return running


def absent(data: Path) -> str:
    """Say that nothing runs on *data*, and the way out."""
    return f"no Tidegate runs on {data}; start one with `tidegate up`, or set TIDEGATE_DATA to the folder of yours"


def _lock_whole(file: int) -> bool:
    for _ in range(10):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(0.01)  # it may be `find`, which looks for a moment only
        else:
            return True
    return False


def _lock(data: Path) -> Path:
    return data / "run.lock"


def _run(data: Path) -> Path:
    return data / "run.json"
