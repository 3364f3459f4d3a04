"""Every object of the control plane, as it is now, and the one way to change them."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from pydantic import BaseModel

from streams.admin import ensure_topics
from streams.control import record
from streams.control.audit import line
from streams.control.check import again, opened, read
from streams.control.documents import patched
from streams.control.errors import ControlError, Missing
from streams.control.follow import Follower
from streams.control.kinds import Kind, Kinds, find_kind
from streams.control.plan import Edit, Planned, State, plan
from streams.control.record import Held, Origin
from streams.control.seal import Keys
from streams.control.topics import AUDIT_LOG
from streams.control.write import Message, Writer
from streams.errors import BadRecord
from streams.settings import Settings
from streams.topics import full_name

log = logging.getLogger(__name__)

Wanted = Sequence[Edit] | Callable[[State], Sequence[Edit]]
"""Edits, or what makes them of the objects as they are: asked again when another process was faster."""


class Change(NamedTuple):
    """An object that is another one now; None where it isn't there."""

    kind: str
    id: str
    before: Any
    after: Any


class Control:
    """All objects of *kinds*. `start` first; what it gives to read never changes under its reader."""

    def __init__(self, settings: Settings, kinds: Kinds, keys: Keys, *, clock: Callable[[], float] = time.time) -> None:
        self.kinds = kinds
        self.keys = keys
        self.problems: Mapping[tuple[str, str], str] = {}
        """What can't be used, by kind and id, with the reason: the key is missing, or another version wrote it."""
        self._settings = settings
        self._clock = clock
        self._topics = {full_name(settings, kind.topic): kind for kind in kinds.values()}
        self._held: dict[str, Mapping[str, Held]] = {
            kind.name: {id: _shipped(kind, id) for id in kind.shipped} for kind in kinds.values()
        }
        self._objects: dict[str, Mapping[str, Any]] = {}
        for name in self._held:
            self._show(name)
        self._callbacks: list[Callable[[Sequence[Change]], None]] = []
        self._follower = Follower(settings, list(self._topics), self._take)
        self._writer = Writer(settings, self._follower.caught_up)

    async def start(self) -> None:
        """Make the topics that are missing, read all; return when every object is there. Raises BrokerError."""
        await ensure_topics(self._settings, [*(kind.topic for kind in self.kinds.values()), AUDIT_LOG])
        await self._follower.start()

    async def stop(self) -> None:
        """Disconnect; stopping twice is safe."""
        await self._writer.stop()
        await self._follower.stop()

    async def wait(self) -> None:
        """Return when it has stopped; raise what its reading died of."""
        await self._follower.wait()

    def objects(self, kind: str) -> Mapping[str, Any]:
        """Return the objects of *kind* by id: what is read from the topic, over what is shipped."""
        return self._objects[kind]

    def state(self) -> State:
        """Return all objects with their versions, by kind and id."""
        return MappingProxyType(dict(self._held))

    def held(self, kind: str, id: str) -> Held:
        """Return the object with its version. Raises Missing; ControlError for one that is there but can't be used."""
        if id in self._held[kind]:
            return self._held[kind][id]
        if (kind, id) in self.problems:
            raise ControlError(self.problems[kind, id])
        raise Missing(f"there is no {kind} {id!r:.120}")

    def kind(self, word: str) -> Kind:
        """Return the kind that *word* names, in the singular or plural. Raises Missing."""
        return find_kind(self.kinds, word)

    def on_change(self, callback: Callable[[Sequence[Change]], None]) -> Callable[[], None]:
        """Call *callback* with each set of changes, after they show in `objects`; return what ends that."""
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback)

    async def changes(self) -> AsyncIterator[Sequence[Change]]:
        """Yield each set of changes from now on."""
        queue: asyncio.Queue[Sequence[Change]] = asyncio.Queue()
        end = self.on_change(queue.put_nowait)
        try:
            while True:
                yield await queue.get()
        finally:
            end()

    async def change(
        self,
        wanted: Wanted,
        *,
        by: str,
        origin: Origin = "api",
        dry_run: bool = False,
        operator: bool = True,
    ) -> list[Planned]:
        """Write all edits as one, log them, and return what they changed once it shows here; or nothing is written.

        *by*: who wants it; *operator*: whether they may write `env:` and `file:`, which read the machine's environment
        and files. *dry_run*: only say what would change. Raises as `plan` does, and BrokerError.
        """

        def decide() -> tuple[list[Planned], list[Message]]:
            state = self.state()
            edits = wanted(state) if callable(wanted) else wanted
            planned = plan(self.kinds, self.keys, state, edits, origin, operator=operator, unusable=self.problems)
            return planned, list(self._messages(planned, by, origin))

        if dry_run:
            await self._follower.caught_up()
            return (await asyncio.to_thread(decide))[0]
        return await self._writer.write(decide)

    async def reseal(self, *, by: str) -> int:
        """Seal every secret with the first key; return how many objects had to be written again. Raises SealError."""

        def decide() -> tuple[int, list[Message]]:
            messages = []
            for held in [held for objects in self.state().values() for held in objects.values()]:
                kind = self.kinds[held.kind]
                stored = again(kind, held, self.keys)
                if stored is not None:
                    value = record.write(id=held.id, at=held.at, by=held.by, origin=held.origin, stored=stored)
                    messages.append((full_name(self._settings, kind.topic), held.id.encode(), value))
            count = len(messages)
            log = line(at=self._now(), by=by, action="resealed", kind="", id="", count=count)
            return count, [*messages, (full_name(self._settings, AUDIT_LOG), b"", log)]

        return await self._writer.write(decide)

    def _messages(self, planned: Iterable[Planned], by: str, origin: Origin) -> Iterable[Message]:
        """Yield the records of what is planned, and a line of the log for each."""
        now = self._now()
        for each in planned:
            if not each.written:
                continue
            held = each.before
            kept = "files" if held is not None and held.origin == "files" else origin
            value = (
                None
                if each.stored is None
                else record.write(id=each.id, at=now, by=by, origin=kept, stored=each.stored)
            )
            yield full_name(self._settings, each.kind.topic), each.id.encode(), value
            log = line(at=now, by=by, action=each.action, kind=each.kind.name, id=each.id, planned=each)
            yield full_name(self._settings, AUDIT_LOG), f"{each.kind.name}|{each.id}".encode(), log

    def _take(self, records: list[Any]) -> None:
        """Take in records from the topics, the newest of each key, and tell who wants to know."""
        newest = {(self._topics[each.topic].name, (each.key or b"").decode(errors="replace")): each for each in records}
        held = {name: dict(objects) for name, objects in self._held.items()}
        problems = dict(self.problems)
        changes = []
        for (name, id), each in newest.items():
            kind = self.kinds[name]
            before = held[name].pop(id, None)
            problems.pop((name, id), None)
            try:
                after = self._read(kind, id, each.offset, each.value)
            except (BadRecord, ControlError) as error:
                problems[name, id] = f"{error}"
                log.warning("an object can't be used: %s", error)
                after = _shipped(kind, id) if id in kind.shipped else None
            if after is not None:
                held[name][id] = after
            old, new = before and before.object, after and after.object
            if old != new:
                changes.append(Change(name, id, old, new))
        self._held = dict(held)
        self.problems = MappingProxyType(problems)
        for name in dict.fromkeys(name for name, _ in newest):
            self._show(name)
        if changes:
            for callback in list(self._callbacks):
                callback(changes)

    def _read(self, kind: Kind, id: str, offset: int, value: bytes | None) -> Held | None:
        """Return the object that a record holds. Raises BadRecord, ControlError."""
        shipped = kind.shipped.get(id)
        if value is None:
            return _shipped(kind, id) if shipped else None
        fields = record.read(value)
        whole = patched(shipped.model_dump(mode="json"), fields["stored"]) if shipped else fields["stored"]
        made = read(kind, id, opened(kind, id, whole, self.keys), new=False)
        return Held(kind=kind.name, id=id, version=offset + 1, object=made, **fields)

    def _show(self, name: str) -> None:
        objects: dict[str, BaseModel] = {id: held.object for id, held in sorted(self._held[name].items())}
        self._objects[name] = MappingProxyType(objects)

    def _now(self) -> int:
        return int(self._clock() * 1000)


def _shipped(kind: Kind, id: str) -> Held:
    return Held(kind=kind.name, id=id, version=0, at=0, by="", origin="shipped", stored={}, object=kind.shipped[id])
