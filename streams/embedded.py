"""A real Apache Kafka broker of our own, on loopback, for whoever has no cluster: fetched, started, kept, stopped."""

import contextlib
import fcntl
import json
import os
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Self

from streams.embedded_config import HOST, Identity, free_ports, java_flags, properties, remember, remembered
from streams.embedded_fetch import OWN_CLUSTER, Progress, class_path, java
from streams.embedded_process import Process
from streams.errors import BrokerError
from streams.metadata import MetadataRequest, MetadataRequest_v12, MetadataResponse_v12

READY_SECONDS = 60.0
"""How long a start may take. Cached, it takes 2 to 3 seconds; a data folder after a crash is checked first."""
STOP_SECONDS = 30.0
"""How long the broker may take to stop by itself, before it is killed."""


class Broker:
    """One broker with its data in *folder*, which outlives it, and its program in *cache*, which can be fetched again.

    A context manager; or start() and stop(), as often as you like. *progress* gets a sentence for each step that takes
    time. *more* are further server.properties. Not for several threads at once.
    """

    def __init__(
        self, folder: Path, cache: Path, progress: Progress | None = None, more: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder
        self.cache = cache
        self.log = folder / "broker.log"
        self._tell = progress or (lambda _: None)
        self._more = more or {}
        self._identity: Identity | None = None
        self._process: Process | None = None
        self._lock: int | None = None

    @property
    def bootstrap_servers(self) -> str:
        """The address, host:port. The same after a restart, unless another program took the port in between."""
        if self._identity is None:
            raise BrokerError("the embedded broker hasn't been started")
        return f"{HOST}:{self._identity.port}"

    @property
    def pid(self) -> int:
        """The process id of its Java; 0 while it isn't running."""
        return self._process.pid if self._process and self._process.running else 0

    @property
    def running(self) -> bool:
        """Whether its process is alive."""
        return self.pid != 0

    def start(self) -> None:
        """Fetch what is missing, format an empty folder, start, and return when the broker answers.

        Raises BrokerError when it can't be fetched or doesn't come up (with the end of its log), or when another
        process has the folder (with that process's id).
        """
        if self.running:
            return
        self.stop()  # of one that crashed, the lock is still ours
        program = class_path(self.cache, "broker", self._tell)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BrokerError(f"can't use {self.folder} for the broker's data: {error}; set TIDEGATE_DATA") from error
        self._lock = _take(self.folder / "broker.lock")
        try:
            self._start(program, self._lock)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the broker cleanly, or by force after STOP_SECONDS. Harmless when it isn't running."""
        if self._process:
            self._process.stop()
        self._free()

    def kill(self) -> None:
        """Kill the broker's Java with SIGKILL, as a crash would; start() works again afterwards."""
        if self._process:
            self._process.kill()
        self._free()

    def tool(self, main_class: str, *arguments: str, feed: bytes = b"", seconds: float = 60) -> str:
        """Run one of Kafka's own command-line tools, such as `org.apache.kafka.tools.TopicCommand`; return its output.

        *feed* goes to its standard input. Raises BrokerError, with what it said, when it fails or takes longer than
        *seconds*. The tools are fetched when they are asked for.
        """
        program = [*class_path(self.cache, "broker", self._tell), *class_path(self.cache, "tools", self._tell)]
        return _run(program, main_class, arguments, feed, seconds)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        where = f"{HOST}:{self._identity.port}" if self._identity else "not started"
        return f"<Broker {self.folder} {where}>"

    def _start(self, program: list[Path], lock: int) -> None:
        """Start with the remembered ports; with others when somebody else is quicker."""
        kept = self.folder / "broker.json"
        for attempt in range(5):
            identity = remembered(kept)
            if attempt:
                identity = Identity(identity.cluster_id, *free_ports())
            remember(kept, identity)
            self._identity = identity
            self._format(identity, program)
            self._tell(f"starting Apache Kafka on {HOST}:{identity.port}")
            self._launch(program, lock)
            if self._wait_ready(identity):
                return
            said = _tail(self.log)
            if "Address already in use" not in said:
                raise BrokerError(
                    f"the embedded broker ended before it was ready. Repair what it says, {OWN_CLUSTER}."
                    f" The end of {self.log}:\n{said}"
                )
        raise BrokerError(f"no free ports on {HOST} for the embedded broker, tried five pairs; {OWN_CLUSTER}")

    def _format(self, identity: Identity, program: list[Path]) -> None:
        """Write server.properties; format the log folder if there is none. One that was cut off counts for nothing."""
        logs = self.folder / "kafka"
        settings = self.folder / "server.properties"
        if not logs.exists():
            self._tell("preparing the broker's data folder")
            partial = self.folder / "kafka.partial"
            shutil.rmtree(partial, ignore_errors=True)
            settings.write_text(properties(identity, partial, self._more))
            arguments = ("format", "-t", identity.cluster_id, "-c", str(settings), "--standalone")
            _run(program, "kafka.tools.StorageTool", arguments, b"", READY_SECONDS)
            partial.rename(logs)
        settings.write_text(properties(identity, logs, self._more))

    def _launch(self, program: list[Path], lock: int) -> None:
        """Start Java on what was formatted, and say in the lock file whose it is."""
        if self.log.exists():
            self.log.replace(self.folder / "broker.log.1")
        settings = str(self.folder / "server.properties")
        command = [str(java()), *java_flags(), "-cp", _joined(program), "kafka.Kafka", settings]
        self._process = Process(command, self.log, lock, STOP_SECONDS)
        (self.folder / "broker.lock").write_text(json.dumps({"pid": os.getpid(), "java": self._process.pid}))

    def _wait_ready(self, identity: Identity) -> bool:
        """Wait until the broker, ours and no other, answers a metadata request; False when it ends before. Bounded."""
        until = time.monotonic() + READY_SECONDS
        while self.running:
            # The cluster id proves that it isn't another broker that was quicker on the same port.
            with contextlib.suppress(OSError, ValueError, struct.error):
                said = _ask(identity.port)
                if said.cluster_id == identity.cluster_id and said.brokers:
                    return True
            if time.monotonic() > until:
                raise BrokerError(
                    f"the embedded broker didn't answer within {READY_SECONDS:.0f} s; {OWN_CLUSTER}."
                    f" The end of {self.log}:\n{_tail(self.log)}"
                )
            time.sleep(0.05)
        return False

    def _free(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _take(file: Path) -> int:
    """Lock the data folder; return the descriptor. Guard and Java share it, so the lock ends with the last of them.

    Raises BrokerError with the holder's process id. Where the holder is gone and only its broker is still stopping,
    that is waited for.
    """
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    until = time.monotonic() + STOP_SECONDS + 5
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


def _holder(file: Path) -> int | None:
    """The process id in a lock file; None when its holder hasn't written it yet."""
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


def _ask(port: int) -> MetadataResponse_v12:
    """Ask the broker on the port for its metadata, without topics."""
    request = MetadataRequest([]).build(MetadataRequest_v12)
    message = request.build_request_header(1, "tidegate").encode() + request.encode()
    with socket.create_connection((HOST, port), timeout=5) as connection:
        connection.sendall(struct.pack(">i", len(message)) + message)
        with connection.makefile("rb") as stream:
            (size,) = struct.unpack(">i", stream.read(4))
            answer = BytesIO(stream.read(size))
    request.parse_response_header(answer)
    said: MetadataResponse_v12 = MetadataResponse_v12.decode(answer)
    return said


def _run(program: list[Path], main_class: str, arguments: tuple[str, ...], feed: bytes, seconds: float) -> str:
    """Run one of Kafka's programs to its end; return what it printed."""
    command = [str(java()), *java_flags(), "-XX:TieredStopAtLevel=1", "-cp", _joined(program), main_class, *arguments]
    try:
        done = subprocess.run(command, input=feed, capture_output=True, timeout=seconds, check=False)  # noqa: S603 # Kafka's
    except subprocess.TimeoutExpired as error:
        raise BrokerError(f"{main_class} wasn't done after {seconds:.0f} s") from error
    if done.returncode:
        said = (done.stderr + done.stdout).decode(errors="replace").strip()
        raise BrokerError(f"{main_class} failed with exit code {done.returncode}: {said[-2000:]}")
    return done.stdout.decode()


def _joined(jars: list[Path]) -> str:
    return os.pathsep.join(str(jar) for jar in jars)


def _tail(log: Path, lines: int = 25) -> str:
    """The end of a log, for an error's text."""
    if not log.exists():
        return "(there is no log)"
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) or "(it says nothing)"
