"""Run the broker's Java and never leave it behind: `python embedded_guard.py SECONDS LOG LOCK COMMAND...`.

Standard input is a pipe from the process that owns the broker. When a byte comes, or the pipe closes because the owner
was killed, Java gets SIGTERM, and SIGKILL after SECONDS. Java's process id is the one line on standard output; its end
is this program's end. LOCK is the descriptor of the data folder's lock. Imports nothing of ours: it starts in
milliseconds.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path


def main(arguments: list[str]) -> int:
    """Start Java, tell its id, wait for its end or the owner's; return Java's exit code."""
    seconds, log, lock, *command = arguments
    owner = os.getppid()
    me = os.getpid()
    with Path(log).open("ab") as out:
        java = subprocess.Popen(  # noqa: S603 # what the owner said
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            pass_fds=[int(lock)],  # so the folder stays locked as long as Java lives
            preexec_fn=lambda: _die_with(me) if sys.platform == "linux" else None,  # before any thread: safe
        )
    sys.stdout.write(f"{java.pid}\n")
    sys.stdout.close()

    over = threading.Event()
    threading.Thread(target=_wait_for_end, args=(java, over), daemon=True).start()
    threading.Thread(target=_wait_for_order, args=(over,), daemon=True).start()
    # A forked child of the owner may hold the pipe open after the owner's death: so its id is watched too.
    while not over.wait(0.5) and os.getppid() == owner:
        pass
    if java.poll() is None:
        java.terminate()
        try:
            java.wait(float(seconds))
        except subprocess.TimeoutExpired:
            java.kill()
    return java.wait()


def _wait_for_end(java: "subprocess.Popen[bytes]", over: threading.Event) -> None:
    """Tell when Java has ended."""
    java.wait()
    over.set()


def _wait_for_order(over: threading.Event) -> None:
    """Tell when the owner writes a byte into the pipe, or its end of it is closed."""
    os.read(0, 1)
    over.set()


def _die_with(guard: int) -> None:
    """In the child, before Java: have the kernel stop it should this guard itself be killed."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
    if os.getppid() != guard:  # killed before the call
        os._exit(1)


if __name__ == "__main__":
    sys.exit(abs(main(sys.argv[1:])))
