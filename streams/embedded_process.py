"""Java under its guard: what is started here ends with this process, however this process ends."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path


class Process:
    """A Java program at work. *lock* is a descriptor that Java holds open as long as it lives; *log* gets all it says.

    stop() lets it end by itself for *patience* seconds before it is killed. Raises OSError.
    """

    def __init__(self, command: list[str], log: Path, lock: int, patience: float) -> None:
        self._patience = patience
        guard = Path(__file__).with_name("embedded_guard.py")
        # The guard takes the end of the first pipe as its order to stop, and says Java's process id on the second.
        order, self._order = os.pipe()
        answer, its_answer = os.pipe()
        try:
            self._guard = subprocess.Popen(  # noqa: S603 # our own program
                [sys.executable, "-I", "-S", guard, str(patience), log, str(lock), *command],
                stdin=order,
                stdout=its_answer,
                pass_fds=[lock],
                start_new_session=True,  # Ctrl-C is for the worker: it still needs its broker to stop well
            )
        except BaseException:
            os.close(self._order)
            os.close(answer)
            raise
        finally:
            os.close(order)
            os.close(its_answer)
        with os.fdopen(answer, "rb") as told:
            self.pid = int(told.readline() or 0)

    @property
    def running(self) -> bool:
        """Whether Java, or the guard that waits for it, is alive."""
        return self._guard.poll() is None

    def stop(self) -> None:
        """Have Java stop, wait for it; kill it when that takes longer than the patience. Harmless when it's over."""
        if self._order >= 0:
            with contextlib.suppress(BrokenPipeError):  # it's over already
                os.write(self._order, b"x")  # closing isn't enough: a forked child of ours may hold the pipe too
        self._close()
        try:
            self._guard.wait(self._patience + 5)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Kill Java with SIGKILL, as a crash would, and wait for the end of both."""
        if self.running and self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        try:
            self._guard.wait(5)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            self._guard.wait()
        self._close()

    def _close(self) -> None:
        if self._order >= 0:
            os.close(self._order)
            self._order = -1
