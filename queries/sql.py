"""SQL of users on a read-only database file, each statement in a process of its own that is killed at the timeout."""

import atexit
import contextlib
import json
import os
import re
import selectors
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from queries.errors import SqlError
from queries.jail import OUTPUT
from queries.run import MOST_ROWS, Answer

_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_CHILD = (sys.executable, "-I", str(Path(__file__).with_name("jail.py")))


def run_sql(database: Path, text: str, limit: int = 100, timeout: float = 10.0) -> Answer:
    """Answer one statement *text* on the DuckDB file *database*, of which no process may hold a writing connection.

    At most *limit* rows; `total` is None where there are more. Times are ISO text, bytes hexadecimal. *timeout* is in
    seconds of the wall clock. Raises SqlError for what is wrong, not allowed, too large or too slow; the file is never
    changed.
    """
    if not database.is_file():
        raise SqlError(f"there is no database {database.name}")
    odd = _NO_TEXT.search(text)
    if odd is not None:
        raise SqlError(f"a statement can't hold the character {odd.group()!r}", odd.start())
    request = {"database": str(database.resolve()), "text": text, "limit": max(0, min(limit, MOST_ROWS))}
    child = _WARM.take()
    try:
        told = _ask(child, json.dumps(request).encode() + b"\n", timeout)
    finally:
        _end(child)
    if "error" in told:
        raise _refused(str(told["error"]), text, told["position"])
    rows = [tuple(row) for row in told["rows"]]
    whole = bool(told["whole"])
    return Answer(tuple(told["columns"]), rows, len(rows) if whole else None, whole, float(told["took_ms"]))


def _ask(child: subprocess.Popen[bytes], request: bytes, timeout: float) -> dict[str, Any]:
    assert child.stdin is not None  # noqa: S101 # both are pipes
    assert child.stdout is not None  # noqa: S101
    deadline = time.monotonic() + timeout
    try:
        child.stdin.write(request)
        child.stdin.flush()
    except BrokenPipeError:
        raise SqlError("the process that runs SQL could not be started") from None
    answer = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while not answer.endswith(b"\n"):
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise SqlError(f"no answer within {timeout:g} seconds: the statement was stopped")
            piece = os.read(child.stdout.fileno(), 1 << 16)
            if not piece:
                raise SqlError("the statement broke its process: it needs more memory than a query may have")
            answer += piece
            if len(answer) > OUTPUT + 1:
                raise SqlError("the answer is too large: ask for less")
    told: dict[str, Any] = json.loads(answer)
    return told


def _refused(message: str, text: str, position: int | None) -> SqlError:
    """Draw the place under the statement's line. DuckDB counts *position* in bytes of UTF-8."""
    if position is None:
        return SqlError(message)
    at = len(text.encode()[:position].decode(errors="ignore"))
    start = text.rfind("\n", 0, at) + 1
    line = text[start:].split("\n", 1)[0]
    left = max(0, at - start - 70)
    shown = "".join(c if c.isprintable() else " " for c in line[left : left + 110])
    place = f"at line {text.count(chr(10), 0, at) + 1}, column {at - start + 1}"
    return SqlError(f"{message}\n  {place}:\n\n    {shown}\n    {' ' * (at - start - left)}^", at)


def _end(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):  # it was gone before it read everything
                pipe.close()
    child.wait()


class _Warm:
    """Keeps one child ready, so that nobody waits for Python and DuckDB to start."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ready: subprocess.Popen[bytes] | None = None

    def take(self) -> subprocess.Popen[bytes]:
        """Return a child that nobody else has, and start the next one."""
        with self._lock:
            child, self._ready = self._ready, _start()
        if child is not None and child.poll() is None:
            return child
        return _start()

    def close(self) -> None:
        """End the child that waits."""
        with self._lock:
            child, self._ready = self._ready, None
        if child is not None:
            _end(child)


def _start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 # our own program, no shell
        _CHILD,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"LANG": "C.UTF-8"},
        start_new_session=True,  # Ctrl-C ends the program, which ends the child
    )


_WARM = _Warm()
atexit.register(_WARM.close)
