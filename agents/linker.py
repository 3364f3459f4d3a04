"""What is told apart from the rows that it is about, followed by every worker: scanners' hosts and checks, parts of
resources, full inventories. Findings are completed with it, resources put together, what is gone ended, whichever came
first.

A finding is completed before it's sent, with what is known then. Who owns its partition completes it later when more
is known: it looks at the rows that there are, so what a crash has left undone is found again.
"""

import asyncio
import contextlib
import logging
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from agents.assemble import assembled
from agents.gone import deleted, ended
from agents.hosts import machine_of, machines_of, told
from agents.link import completed, rewritten
from streams.codec import encode
from streams.errors import BrokerError
from streams.faults import passing
from streams.kafka import client_config
from streams.partition import partition_of
from streams.produce import BatchProducer
from streams.produce import Record as Outgoing
from streams.records import Finding
from streams.settings import Settings
from streams.store import hosts, vendor
from streams.store.parts import pieces, unassembled
from streams.store.thread import StoreThread
from streams.store.vendor import Lacking, Name, Told, VendorKind
from streams.topics import (
    FINDINGS,
    INVENTORIES,
    RESOURCE_PARTS,
    RESOURCES,
    VENDOR_ASSETS,
    VENDOR_KNOWLEDGE,
    finding_key,
    full_name,
    vendor_key,
)

log = logging.getLogger(__name__)

AT_ONCE = 1_000
"""Findings that are completed in one go."""
REMEMBERED = 20_000
"""Assets and checks that are kept in memory for findings that come: a scanner tells of each many times."""
SHARE = 20
"""A look for rows that lack something is followed by a rest of this many times its length."""
REST_S = 1.0
"""The shortest rest."""
WINNERS_S = 10.0
"""Between two rounds of sending winners again; compaction waits for an hour."""


class Linker:
    """Follows vendor.assets, vendor.knowledge, inventories and resource-parts. Completes findings as they come, and
    rows of the partitions that *owned* tells, once all that was there is in the store.
    """

    def __init__(
        self,
        settings: Settings,
        store: StoreThread,
        producer: BatchProducer,
        owned: Callable[[], AbstractSet[int]],
        counts: Counter[str],
    ) -> None:
        self._settings = settings
        self._store = store
        self._producer = producer
        self._owned = owned
        self._counts = counts
        self._topic = full_name(settings, FINDINGS)
        self._resources = full_name(settings, RESOURCES)
        self._kinds: dict[str, VendorKind] = {
            full_name(settings, VENDOR_ASSETS): "assets",
            full_name(settings, VENDOR_KNOWLEDGE): "knowledge",
            full_name(settings, INVENTORIES): "inventories",
            full_name(settings, RESOURCE_PARTS): "parts",
        }
        self._ends: dict[TopicPartition, int] = {}
        self._at: dict[TopicPartition, int] = {}
        self._ready = asyncio.Event()
        self._wake = asyncio.Event()
        self._memory: dict[VendorKind, OrderedDict[Name, Told | None]] = {
            "assets": OrderedDict(),
            "knowledge": OrderedDict(),
            "inventories": OrderedDict(),
            "parts": OrderedDict(),
        }
        self._changes = 0
        """Grows whenever memory is dropped: what was read before must not be remembered after."""
        self._sent: dict[tuple[int, int], str] = {}
        """The version that each finding had when it was sent anew: it is on its way."""
        self._asked: tuple[int, hosts.Asked] | None = None
        """The hosts whose machine is asked for, as of that many changes."""
        self._stack = contextlib.AsyncExitStack()

    async def start(self, cluster: str, topic_ids: Mapping[str, str]) -> None:
        """Begin where the store stands. Raises BrokerError, StoreError."""
        self._consumer = AIOKafkaConsumer(
            **client_config(self._settings), enable_auto_commit=False, max_poll_records=2_000, fetch_max_wait_ms=200
        )
        self._stack.push_async_callback(self._consumer.stop)
        try:
            await self._consumer.start()
            parts = [
                TopicPartition(full_name(self._settings, topic), part)
                for topic in (VENDOR_ASSETS, VENDOR_KNOWLEDGE, INVENTORIES, RESOURCE_PARTS)
                for part in range(topic.partitions(self._settings))
            ]
            self._consumer.assign(parts)
            begins = await self._consumer.beginning_offsets(parts)
            self._ends = await self._consumer.end_offsets(parts)
        except (KafkaError, OSError) as error:
            raise BrokerError(f"topics {', '.join(self._kinds)}: {error!r}") from error
        for tp in parts:
            begin = partial(
                vendor.start,
                kind=self._kinds[tp.topic],
                topic=tp.topic,
                part=tp.partition,
                ids=(topic_ids[tp.topic], cluster),
                begin=begins[tp],
                end=self._ends[tp],
            )
            self._at[tp] = await self._store.transact(f"start of {tp.topic} {tp.partition}", begin)
            self._consumer.seek(tp, self._at[tp])
        self._look_if_ready()

    async def stop(self) -> None:
        """Follow no more; stopping twice is safe."""
        await self._stack.aclose()

    async def run(self) -> None:
        """Follow and complete until cancelled. Raises what the broker and the store raise."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow())
            group.create_task(self._complete())
            group.create_task(self._send_winners())

    async def complete(self, findings: Sequence[Finding]) -> list[Outgoing]:
        """Return *findings* as they go to their topic, each completed with what is known of its asset and check.

        Waits until all is known that was there when this worker started.
        """
        await self._ready.wait()
        assets = await self._told("assets", {(f.source, f.asset) for f in findings if f.asset})
        known = await self._told("knowledge", {(f.source, f.knowledge) for f in findings if f.knowledge})
        outgoing: list[Outgoing] = []
        for finding in findings:
            asset, knowledge = (
                assets.get((finding.source, finding.asset)),
                known.get((finding.source, finding.knowledge)),
            )
            if asset is None and knowledge is None:
                account, key, value = encode(finding)
                outgoing.append((partition_of(account, self._settings.partitions), key, value))
            else:
                outgoing.append(self._outgoing(completed(_fields(finding), asset, knowledge)))
        return outgoing

    async def _follow(self) -> None:
        while True:
            for tp, records in (await self._consumer.getmany(timeout_ms=1_000)).items():
                kind = self._kinds[tp.topic]
                read = await asyncio.to_thread(_read, kind, records)
                merge = partial(
                    vendor.merge,
                    kind=kind,
                    topic=tp.topic,
                    part=tp.partition,
                    records=read,
                    end=records[-1].offset + 1,
                )
                if await self._store.transact(f"records of {tp.topic}", merge):
                    self._memory[kind].clear()
                    self._changes += 1
                    self._wake.set()
                self._at[tp] = records[-1].offset + 1
            self._look_if_ready()

    def _look_if_ready(self) -> None:
        if not self._ready.is_set() and all(self._at[tp] >= end for tp, end in self._ends.items()):
            self._ready.set()
            self._wake.set()

    async def _complete(self) -> None:
        """Look again when something came of vendors, and once in a while: a finding may be stored after its asset."""
        await self._ready.wait()
        looked_at: object = None
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), REST_S)
            self._wake.clear()
            as_of = self._counts["stored"], self._changes, frozenset(self._owned())
            if as_of == looked_at:
                continue  # nothing has come since
            looked_at = as_of
            began = time.monotonic()
            while await self._complete_some():
                pass
            await self._name_hosts()
            await self._assemble()
            await self._end_gone()
            await asyncio.sleep(min(SHARE * (time.monotonic() - began), 60))

    async def _complete_some(self) -> bool:
        """Complete up to AT_ONCE findings; return whether there are more."""
        parts = self._owned()
        if not parts:
            return False
        lacking = await self._read_store(partial(_lacking, parts=parts, limit=AT_ONCE + len(self._sent)))
        still = {(each.part, each.fid): each.version for each in lacking}
        self._sent = {at: version for at, version in self._sent.items() if still.get(at) == version}
        fresh = [each for each in lacking if self._sent.get((each.part, each.fid)) != each.version][:AT_ONCE]
        if not fresh:
            return False
        found = await self._read_store(partial(vendor.records, of=fresh))
        rows = [(each, orjson.loads(record)) for each, record in found]
        assets = await self._told("assets", {(f["source"], f["asset"]) for _, f in rows if f.get("asset")})
        known = await self._told("knowledge", {(f["source"], f["knowledge"]) for _, f in rows if f.get("knowledge")})
        live, over = [], []
        for each, finding in rows:
            asset = assets.get((finding["source"], finding.get("asset", "")))
            now = rewritten(finding, asset, known.get((finding["source"], finding.get("knowledge", ""))))
            live += [self._outgoing(one) for one in now[:1]]
            over += [self._outgoing(one) for one in now[1:]]
            self._sent[each.part, each.fid] = each.version
        # A finding is there under its new account before it goes from the old one: a crash between leaves both, and the
        # old one is found here again.
        await self._producer.send(self._topic, live)
        passing("linked")
        await self._producer.send(self._topic, over)
        passing("unlinked")
        self._counts["completed"] += len(live)
        self._counts["moved"] += len(over)
        return len(fresh) == AT_ONCE

    async def _name_hosts(self) -> None:
        """Say which machines of the accounts owned are the hosts that only a name or an address tells of."""
        owned, count = self._owned(), self._settings.partitions
        if self._asked is None or self._asked[0] != self._changes:
            self._asked = self._changes, await self._read_store(hosts.asked)
        asked = self._asked[1]
        here = [each for each in asked.assets if partition_of(each["account"], count) in owned]
        held = {(each["source"], each["ids"][0]): each for each in asked.held}
        outgoing: list[tuple[bytes, bytes | None]] = []
        if here:
            accounts = {each["account"] for each in here}
            rows = await self._read_store(partial(hosts.machines, accounts=accounts))
            outgoing += await asyncio.to_thread(_named, here, held, rows)
        still = {(each["source"], each["id"]) for each in asked.assets}
        for name, each in held.items():
            if name not in still and partition_of(each["account"], count) in owned:
                outgoing.append((vendor_key(each["source"], each["id"]), None))  # its vendor says itself now
        parts = VENDOR_ASSETS.partitions(self._settings)
        topic = full_name(self._settings, VENDOR_ASSETS)
        await self._producer.send(topic, [(partition_of(key.decode(), parts), key, value) for key, value in outgoing])
        self._counts["hosts"] += len(outgoing)

    async def _assemble(self) -> None:
        """Put up to AT_ONCE resources together with their parts, the others next time."""
        lacking = await self._read_store(partial(unassembled, parts=self._owned(), limit=AT_ONCE))
        if lacking:
            made = [(each.of.part, assembled(each)) for each in await self._read_store(partial(pieces, of=lacking))]
            whole = [(part, str(one["rrn"]).encode(), orjson.dumps(one)) for part, one in made]
            await self._producer.send(self._resources, whole)
            self._counts["assembled"] += len(whole)

    async def _end_gone(self) -> None:
        """Delete resources, and end findings, that a full inventory doesn't list; up to AT_ONCE, the others next time:
        what was sent has to come by first.
        """
        parts = self._owned()
        resources = await self._read_store(partial(vendor.gone, kind="resources", parts=parts, limit=AT_ONCE))
        if resources:
            found = await self._read_store(partial(vendor.rows, kind="resources", of=resources))
            now = [(each, deleted(orjson.loads(record), each.version)) for each, record in found]
            gone = [(each.part, str(one["rrn"]).encode(), orjson.dumps(one)) for each, one in now]
            await self._producer.send(self._resources, gone)
            self._counts["gone"] += len(gone)
        findings = await self._read_store(partial(vendor.gone, kind="findings", parts=parts, limit=AT_ONCE))
        if findings:
            found = await self._read_store(partial(vendor.rows, kind="findings", of=findings))
            over = [self._outgoing(ended(orjson.loads(record), each.version)) for each, record in found]
            await self._producer.send(self._topic, over)
            self._counts["gone"] += len(over)

    async def _told(self, kind: VendorKind, names: AbstractSet[Name]) -> dict[Name, Told]:
        memory = self._memory[kind]
        told = {name: memory[name] for name in names if name in memory}
        if missing := [name for name in names if name not in memory]:
            changes = self._changes
            look = vendor.assets if kind == "assets" else vendor.knowledge
            found = await self._read_store(partial(look, names=missing))
            read = {name: found.get(name) for name in missing}
            told |= read
            if changes == self._changes:
                memory.update(read)
        while len(memory) > REMEMBERED:
            memory.popitem(last=False)
        return {name: known for name, known in told.items() if known is not None}

    async def _read_store(self, work: Any) -> Any:
        def ask() -> Any:
            with self._store.cursor() as cursor:
                return work(cursor)

        return await asyncio.to_thread(ask)

    def _outgoing(self, finding: Mapping[str, Any]) -> Outgoing:
        account = str(finding["account"])
        return (
            partition_of(account, self._settings.partitions),
            finding_key(account, str(finding["id"])),
            orjson.dumps(finding),
        )

    async def _send_winners(self) -> None:
        """Send records again that lie in the log before one that lost to them. One worker does it for each partition:
        the one that owns the findings' partition of that number.
        """
        while True:
            await asyncio.sleep(WINNERS_S)
            owned = self._owned()
            for tp in [tp for tp in self._at if tp.partition % self._settings.partitions in owned]:
                if self._at[tp] < self._ends[tp]:
                    continue
                ask = partial(vendor.winners, kind=self._kinds[tp.topic], part=tp.partition, limit=AT_ONCE)
                if rows := await self._read_store(ask):
                    await self._producer.send(tp.topic, [(tp.partition, key, record) for key, record in rows])


def _read(kind: VendorKind, records: Sequence[Any]) -> list[tuple[str, vendor.Row | None]]:
    read: list[tuple[str, vendor.Row | None]] = []
    for record in records:
        key = (record.key or b"").decode(errors="replace")
        row = None if record.value is None else vendor.row(kind, record.value)
        if record.value is not None and (row is None or key != f"{row.source}|{row.id}"):
            log.warning("%s %d, offset %d: no record of this topic", record.topic, record.partition, record.offset)
            continue
        read.append((key, row))
    return read


def _named(
    assets: Sequence[Mapping[str, Any]], held: Mapping[Name, Mapping[str, Any]], rows: Sequence[hosts.Row]
) -> list[tuple[bytes, bytes | None]]:
    machines = machines_of(rows)
    found: list[tuple[bytes, bytes | None]] = []
    for asset in assets:
        said = machine_of(asset, machines.get(asset["account"], []))
        record = told(asset, said, held.get((asset["source"], asset["id"])), int(time.time() * 1000))
        if record is not None:
            encoded = encode(record)
            found.append((encoded.key, encoded.value))
    return found


def _lacking(cursor: Any, parts: AbstractSet[int], limit: int) -> list[Lacking]:
    return [] if vendor.empty(cursor) else vendor.lacking(cursor, parts, limit)


def _fields(finding: Finding) -> dict[str, Any]:
    fields = {name: getattr(finding, name) for name in _FIELDS}
    fields["references"] = [{"id": each.id, "type": each.type} for each in finding.references]
    return fields


_FIELDS = tuple(Finding.__dataclass_fields__)
