"""What the embedded broker is told: its properties, and where it listens."""

import json
import random
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import count, islice
from pathlib import Path
from uuid import uuid4

from streams.metadata import id_text
from streams.topics import DEAD_LETTERS

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Identity:
    """What stays the same from one start to the next: the cluster's id, and the ports as long as they are free."""

    cluster_id: str
    port: int
    controller_port: int


def remembered(file: Path) -> Identity:
    """Return the identity kept in *file*, with other ports where its own are taken; a new one if there is no file."""
    if not file.exists():
        ids = (id_text(uuid4().bytes) for _ in count())
        return Identity(next(id for id in ids if not id.startswith("-")), *free_ports())  # or it looks like an option
    kept = Identity(**json.loads(file.read_text()))
    if is_free(kept.port) and is_free(kept.controller_port):
        return kept
    return Identity(kept.cluster_id, *free_ports())


def remember(file: Path, identity: Identity) -> None:
    """Keep the identity, by an atomic rename."""
    partial = file.with_suffix(".partial")
    partial.write_text(json.dumps(asdict(identity)))
    partial.replace(file)


def free_ports(wanted: int = 2) -> list[int]:
    """Return ports that are free now; below those of outgoing connections, so that they are free tomorrow too."""
    found = (port for port in random.sample(range(20_000, 30_000), 1000) if is_free(port))
    return list(islice(found, wanted))


def is_free(port: int) -> bool:
    """Whether a server could listen on the port of 127.0.0.1 now."""
    with socket.socket() as probe:
        # As Java does: connections of the last run that still wait for their end don't count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen()
        except OSError:
            return False
    return True


def properties(identity: Identity, logs: Path, more: Mapping[str, str]) -> str:
    """Return server.properties: one node that is broker and controller, on loopback, with *more* at its end."""
    here, control = f"{HOST}:{identity.port}", f"{HOST}:{identity.controller_port}"
    settings = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.bootstrap.servers": control,
        "listeners": f"PLAINTEXT://{here},CONTROLLER://{control}",
        "advertised.listeners": f"PLAINTEXT://{here}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": str(logs),
        "num.partitions": "4",
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        # A laptop that slept for a week must not come back to a worker that has forgotten where it was.
        "offsets.retention.minutes": str(365 * 24 * 60),
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        # After a crash, the controller waits for the end of the dead broker's session, 9 s by default, before it takes
        # the new one; a session needs a heartbeat in time.
        "broker.session.timeout.ms": "4000",
        "broker.heartbeat.interval.ms": "500",
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "1000",
        "auto.create.topics.enable": "false",
        "message.max.bytes": str(DEAD_LETTERS.max_message_bytes),
        "log.cleaner.dedupe.buffer.size": str(64 * 1024 * 1024),  # it comes out of the heap; 2.8M keys a pass
    } | dict(more)
    # A backslash or a blank at the start of a path would be eaten by Java's reader of properties.
    return "".join(f"{name}={value.replace(chr(92), chr(92) * 2)}\n" for name, value in settings.items())
