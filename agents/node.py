"""The query node: follows every partition without a group, so that its answers span all accounts."""

import asyncio
import contextlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from agents.heat import Heater
from streams.admin import cluster_identity, ensure_topics
from streams.kafka import client_config
from streams.settings import Settings
from streams.store.batch import Kind, Part
from streams.store.thread import StoreThread
from streams.topics import DELETE_RETENTION_MS, STORED, TOPICS, full_name


class Node:
    """One query node process. `start`, `stop`, and `wait`, which raises what the node died of."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._kinds: dict[str, Kind] = {full_name(settings, topic): kind for kind, topic in STORED.items()}
        self._positions: dict[TopicPartition, int] = {}
        self._ends: dict[TopicPartition, int] = {}
        self._stack = contextlib.AsyncExitStack()

    async def start(self) -> None:
        """Check the topics, open the store, and begin to follow every partition from the store's own offset."""
        await ensure_topics(self.settings, TOPICS)
        self.store = await StoreThread.open(
            self.settings.store_file, memory=self.settings.store_memory, threads=self.settings.store_threads
        )
        self._stack.push_async_callback(self.store.close)
        self._consumer = AIOKafkaConsumer(
            **client_config(self.settings),
            enable_auto_commit=False,
            max_poll_records=self.settings.batch,
            max_partition_fetch_bytes=4 * 1024 * 1024,
        )
        self._stack.push_async_callback(self._consumer.stop)
        await self._consumer.start()
        await self._assign()
        self._task = asyncio.create_task(self._follow(), name="follow")
        self._heating = asyncio.create_task(Heater(self.store).run(), name="heat")
        for task in (self._task, self._heating):
            self._stack.push_async_callback(_ended, task)

    async def wait(self) -> None:
        """Return when the node has stopped; raise what it died of."""
        ended, _ = await asyncio.wait([self._task, self._heating], return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            if not task.cancelled():
                await task

    async def stop(self) -> None:
        """Finish the transaction that is at work, close the store. Safe at any moment of a start."""
        await self._stack.aclose()

    def ownership(self) -> dict[str, Any]:
        """Return the partitions that the node follows, every one, and how many records each is behind.

        `all`: each has passed the end that its log had when the node started.
        """
        ends: Mapping[TopicPartition, int | None] = {tp: self._consumer.highwater(tp) for tp in self._positions}
        return {
            "owned": [[tp.topic, tp.partition] for tp in sorted(self._positions)],
            "all": self._caught_up(),
            "lag": {f"{tp.topic}:{tp.partition}": max((ends[tp] or 0) - at, 0) for tp, at in self._positions.items()},
        }

    def _caught_up(self) -> bool:
        return all(self._positions[tp] >= end for tp, end in self._ends.items())

    async def _assign(self) -> None:
        cluster, topic_ids = await cluster_identity(self.settings)
        partitions = [TopicPartition(name, part) for name in self._kinds for part in range(self.settings.partitions)]
        self._consumer.assign(partitions)
        begins = await self._consumer.beginning_offsets(partitions)
        self._ends = await self._consumer.end_offsets(partitions)
        for tp in partitions:
            self._positions[tp] = await self.store.start(
                tp.topic,
                self._kinds[tp.topic],
                tp.partition,
                cluster_id=cluster,
                topic_id=topic_ids[tp.topic],
                begin=begins[tp],
                end=self._ends[tp],
                now=datetime.now(UTC),
                delete_retention_ms=DELETE_RETENTION_MS,
            )
            self._consumer.seek(tp, self._positions[tp])

    async def _follow(self) -> None:
        while True:
            fetched = await self._consumer.getmany(timeout_ms=1000)
            parts = [
                Part(
                    self._kinds[tp.topic],
                    tp.topic,
                    tp.partition,
                    self._positions[tp],
                    records[-1].offset + 1,
                    [(r.offset, r.key, r.value) for r in records],
                )
                for tp, records in fetched.items()
            ]
            if parts:
                await self.store.apply(parts)
                self._positions |= {TopicPartition(part.topic, part.partition): part.end for part in parts}


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait([task])
