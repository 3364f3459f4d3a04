"""A real Apache Kafka broker of our own, on loopback, for whoever has no cluster: fetched, started, kept, stopped."""

import contextlib
import os
import shutil
import socket
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Self

from streams.embedded_config import HOST, Identity, free_ports, properties, remember, remembered
from streams.embedded_fetch import OWN_CLUSTER, Progress, alone, class_path
from streams.embedded_java import archive, command, recording, run, using
from streams.embedded_lock import sign, take
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
    time. *more* are further server.properties. Threads may share it: a stop() while another starts ends that start.
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
        self._flags: tuple[str, ...] | None = None
        self._turn = threading.RLock()
        self._unwanted = threading.Event()

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
        with self._turn:
            if not self.running:
                self._prepare()

    def stop(self) -> None:
        """Stop the broker cleanly, or by force after STOP_SECONDS. Harmless when it isn't running."""
        self._end(Process.stop)

    def kill(self) -> None:
        """Kill the broker's Java with SIGKILL, as a crash would; start() works again afterwards."""
        self._end(Process.kill)

    def tool(self, main_class: str, *arguments: str, feed: bytes = b"", seconds: float = 60) -> str:
        """Run one of Kafka's own command-line tools, such as `org.apache.kafka.tools.TopicCommand`; return its output.

        *feed* goes to its standard input. Raises BrokerError, with what it said, when it fails or takes longer than
        *seconds*. The tools are fetched when they are asked for.
        """
        program = [*class_path(self.cache, "broker", self._tell), *class_path(self.cache, "tools", self._tell)]
        return run(program, main_class, *arguments, feed=feed, seconds=seconds)

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

    def _prepare(self) -> None:
        """Get everything that a start needs, lock the folder, start; leave nothing behind when that fails."""
        program = class_path(self.cache, "broker", self._tell)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BrokerError(f"can't use {self.folder} for the broker's data: {error}; set TIDEGATE_DATA") from error
        if self._flags is None:
            self._flags = _quick_start(self.cache, program, self._tell)
        self._lock = take(self.folder / "broker.lock")
        try:
            self._start(program, self._lock)
        except BaseException:
            if self._process:
                self._process.stop()
            self._free()
            raise
        self._free()  # guard and Java hold it from here on: a forked child of ours must not

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
            arguments = ("format", f"--cluster-id={identity.cluster_id}", "-c", str(settings), "--standalone")
            run(program, "kafka.tools.StorageTool", *arguments)
            partial.rename(logs)
        settings.write_text(properties(identity, logs, self._more))

    def _launch(self, program: list[Path], lock: int) -> None:
        """Start Java on what was formatted, and say in the lock file whose it is."""
        if self.log.exists():
            self.log.replace(self.folder / "broker.log.1")
        settings = str(self.folder / "server.properties")
        line = command(program, "kafka.Kafka", settings, flags=self._flags or ())
        self._process = Process(line, self.log, lock, STOP_SECONDS)
        sign(self.folder / "broker.lock", self._process.pid)

    def _wait_ready(self, identity: Identity) -> bool:
        """Wait until the broker, ours and no other, answers a metadata request; False when it ends before. Bounded."""
        until = time.monotonic() + READY_SECONDS
        while self.running:
            if self._unwanted.is_set():
                raise BrokerError("the embedded broker was stopped while it started")
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

    def _end(self, how: Callable[[Process], None]) -> None:
        """End the process, or the start that another thread is at."""
        self._unwanted.set()
        with self._turn:
            self._unwanted.clear()
            if self._process:
                how(self._process)
            self._free()

    def _free(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _quick_start(cache: Path, program: list[Path], tell: Progress) -> tuple[str, ...]:
    """Return Java's flags for a quick start. The first time, a trial run makes the archive of classes that they name.

    Without one the start takes a second or two longer, and nothing else: what goes wrong here is told and forgotten.
    """
    kept = archive(program)
    if not kept.exists():
        with contextlib.suppress(OSError), alone(kept.parent / "fetch.lock", tell):
            if not kept.exists():
                tell("preparing Apache Kafka for quick starts, once")
                _record(cache, kept, tell)
    return using(kept)


def _record(cache: Path, kept: Path, tell: Progress) -> None:
    """Make the archive: of what a broker in a folder of its own loads until it's ready. An empty one: not to be had."""
    with tempfile.TemporaryDirectory(prefix="tidegate-") as folder:
        made = Path(folder) / "classes"
        trial = Broker(Path(folder) / "data", cache)
        trial._flags = recording(made)
        try:
            with trial:
                pass
        except BrokerError as error:
            tell(f"no quick starts: {error}")
        partial = kept.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        if made.exists():
            shutil.copyfile(made, partial)
        else:
            partial.touch()
        partial.replace(kept)


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


def _tail(log: Path, lines: int = 25) -> str:
    """The end of a log, for an error's text."""
    if not log.exists():
        return "(there is no log)"
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) or "(it says nothing)"
