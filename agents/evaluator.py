"""Evaluates what batches touched, in turns with them: partitions are admitted, work becomes alerts, commands obeyed.

A partition is admitted when the store has passed the ends that its topics had when it was assigned: nothing resolves
or opens because half of an account isn't here yet.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from functools import partial

import duckdb

from agents.alerts import Collision
from agents.book import Book
from agents.evaluate import Done, Setting, command, evaluate
from agents.ingest import dead_letter
from agents.normalise._base import Bad
from agents.outbox import Sender, arrived
from agents.snoozed import Snoozed
from streams.alerts import Alert, AlertCommand, read
from streams.errors import BadRecord, StoreError
from streams.faults import passing
from streams.identity import Place
from streams.produce import BatchProducer
from streams.settings import Settings
from streams.store import alerts, evaluations, outbox, sweeps, work
from streams.store.outbox import Outbox, Outgoing
from streams.store.places import Finder
from streams.store.sweeps import Sweep
from streams.store.thread import StoreThread
from streams.topics import ALERTS, DEAD_LETTERS, DELIVERIES, full_name
from streams.transport import Batch

log = logging.getLogger(__name__)

MOST = 1_000
"""Resources in one evaluation: some tens of milliseconds, in which nothing is stored."""


TIMED_S = 3600.0
"""Between two looks of the policies whose violations come with time alone."""


class Evaluator:
    """The evaluations of one worker. *ready* tells the partitions that have all that was there when they came."""

    def __init__(
        self,
        settings: Settings,
        store: StoreThread,
        producer: BatchProducer,
        book: Book,
        ready: Callable[[], AbstractSet[int]],
        counts: Counter[str],
    ) -> None:
        self._settings = settings
        self._store = store
        self._producer = producer
        self._book = book
        self._ready = ready
        self._counts = counts
        self._admitted: dict[int, int] = {}
        """The generation of each partition that is evaluated."""
        self._commands: list[tuple[Batch, Callable[[], object]]] = []
        with store.cursor() as cursor:
            self._outbox = Outbox(cursor)
        self._reading = store.cursor()
        self._looking: asyncio.Task[tuple[Sweep, list[int]]] | None = None
        self._most = MOST
        self._sweeping = True
        """Whether there may be something to sweep."""
        self._timed: dict[int, float] = {}
        """When each partition was last looked at for the sake of time alone, on the monotonic clock."""
        self.sender = Sender(settings, producer)
        self._snoozed = Snoozed(self.sender.wake)

    def take(self, batch: Batch, done: Callable[[], object]) -> None:
        """Let users' commands wait for a turn in which their partition is admitted; *done* is called after it."""
        self._commands.append((batch, done))

    def forget(self, parts: frozenset[int]) -> None:
        """Leave these partitions to another owner; what wasn't sent of them stays in the outbox until they are back."""
        for part in parts:
            self._admitted.pop(part, None)
            self._snoozed.forget(part)
        self._commands = [each for each in self._commands if each[0].partition not in parts]
        self.sender.forget(parts)

    def reconsider(self, book: Book) -> None:
        """Evaluate by *book* from now on: what it changes is noted for every partition in the next turn."""
        self._book = book
        self._admitted = {}

    async def turn(self) -> bool:
        """Do a part of what there is to do, and return whether there is more."""
        ready = self._ready()
        for part in sorted(ready - self._admitted.keys()):
            await self._admit(part)
        setting = Setting(self._book, {p: g for p, g in self._admitted.items() if p in ready}, datetime.now(UTC))
        await self._obey(setting)
        for opened in await self._snoozed.turn(setting, self._store, self._outbox):
            self._hand_over(opened)
        await self._note_timed(setting)
        sent = self.sender.take_sent()
        if self.sender.full or not setting.generations:
            setting = setting._replace(generations={})
            if not sent:
                return False
        done = await self._evaluate(setting, sent)
        passing("evaluated")
        self._hand_over(done)
        return done.more or (bool(setting.generations) and await self._sweep(setting))

    async def stop(self) -> None:
        """End the look that is under way; it is begun anew at the next start."""
        if self._looking is not None:
            self._reading.interrupt()
            await asyncio.wait([self._looking])
            self._looking.exception()  # told to nobody: it was cut off
        self._reading.close()

    async def _sweep(self, setting: Setting) -> bool:
        """Let one of the policies that have changed look at what there is, beside what goes on; return whether it has
        found something.
        """
        if self._looking is not None:
            if not self._looking.done():
                return False
            looking, self._looking = self._looking, None
            sweep, found = looking.result()
            await self._store.transact("a sweep", partial(sweeps.end, sweep=sweep, found=found))
            return True
        if self._sweeping:
            next_ = partial(sweeps.waiting, parts=setting.generations.keys())
            sweep_ = await self._store.transact("the sweeps that wait", next_)
            self._sweeping = sweep_ is not None
            if sweep_ is not None:
                self._looking = asyncio.create_task(self._look(sweep_, setting))
                self._looking.add_done_callback(lambda _: self.sender.wake())
        return False

    async def _look(self, sweep: Sweep, setting: Setting) -> tuple[Sweep, list[int]]:
        try:
            found = await asyncio.to_thread(sweeps.look, self._reading, sweep, setting.book.conditions, setting.now)
        except duckdb.Error as error:
            raise StoreError(f"policy {sweep.policy} can't look at what there is: {error}") from error
        return sweep, found

    async def _evaluate(self, setting: Setting, sent: set[int]) -> Done:
        """Evaluate as much as fits into memory, and let what Kafka has leave the outbox in the same transaction."""
        while True:
            try:
                work = partial(
                    _step, setting=setting, outbox_=self._outbox, most=self._most, sent=sent, finder=self._store.store
                )
                done = await self._store.transact("an evaluation", work, world=True)
            except StoreError as error:
                if not isinstance(error.__cause__, duckdb.OutOfMemoryException) or self._most == 1:
                    raise
                self._most = max(1, self._most // 4)
                continue
            self._most = min(MOST, self._most * 2)
            return done

    def _hand_over(self, done: Done) -> None:
        self._counts.update(done.counts)
        for one in done.collisions:
            log.error("%s would be the id of two alerts, %s and %s: the second isn't raised", *_told(one))
        for refusal in done.refusals:
            log.warning("%s by %s: %s", refusal.command.action, refusal.command.by, refusal.words)
        # a partition that was taken away meanwhile: its rows wait in the outbox until it is back
        self.sender.put([row for row in done.outgoing if row.part in self._admitted])

    async def _admit(self, part: int) -> None:
        """Bring out what a crash or a move has left in the outbox, and begin a generation."""
        book = self._book
        async with self.sender.sending:
            self.sender.forget(frozenset({part}))  # the outbox has it all
            rows, since = await self._store.transact("a look into the outbox", partial(_left, part=part))
            rows = [row for row in rows if not self.sender.knows(row)]
            there = await arrived(self._settings, part, rows, since) if rows else set()
            admit = partial(_admit, part=part, rows=rows, there=there, book=book)
            generation, rest = await self._store.transact(f"the admission of partition {part}", admit)
            left = {row.n for row in rest}
            self.sender.note(row for row in rows if row.n not in left)
        if part in self._ready() and book is self._book:  # else again in the next turn, by the book of then
            self._admitted[part] = generation
            self._sweeping = True
            self.sender.put(rest)

    async def _note_timed(self, setting: Setting) -> None:
        """Let policies that count days look at everything once in a while."""
        timed = [id for id, policy in setting.book.policies.items() if policy.touches.time]
        now = time.monotonic()
        for part in setting.generations:
            last = self._timed.setdefault(part, now)
            if timed and now - last >= TIMED_S:
                self._timed[part] = now
                note = partial(_note, part=part, policies=timed, book=setting.book)
                await self._store.transact(f"the hour of partition {part}", note)
                self._sweeping = True

    async def _obey(self, setting: Setting) -> None:
        ready = [each for each in self._commands if each[0].partition in setting.generations]
        self._commands = [each for each in self._commands if each[0].partition not in setting.generations]
        for batch, acknowledge in ready:
            commands = await self._read(batch)
            work = partial(command, setting=setting, outbox=self._outbox, part=batch.partition, commands=commands)
            self._hand_over(await self._store.transact("users' commands", work))
            self._snoozed.forget(batch.partition)
            acknowledge()

    async def _read(self, batch: Batch) -> list[AlertCommand]:
        commands, bad = [], []
        for record in batch.records:
            try:
                commands.append(read(AlertCommand, record.value or b"")[0])
            except BadRecord as wrong:
                place = Place(batch.topic, batch.partition, record.offset, int(time.time() * 1000))
                item = Bad(wrong.path, wrong.reason, "", record.value or b"")
                bad.append(dead_letter(self._settings, "alert-commands", item, place))
        if bad:
            await self._producer.send(full_name(self._settings, DEAD_LETTERS), bad)
        return commands


def _step(
    db: duckdb.DuckDBPyConnection,
    setting: Setting,
    outbox_: Outbox,
    most: int,
    sent: AbstractSet[int],
    finder: Finder,
) -> Done:
    if sent:
        outbox.strike(db, sent)
    if not setting.generations:
        return Done()
    began = time.perf_counter()
    done = evaluate(db, setting, outbox_, most, finder)
    if done.counts["evaluated"]:
        done.counts["evaluation us"] = round((time.perf_counter() - began) * 1e6)
    return done


def _note(db: duckdb.DuckDBPyConnection, part: int, policies: Sequence[str], book: Book) -> None:
    many = sweeps.many(db, part)
    for policy in policies:
        noted = work.BY_TIME + policy
        work.forget(db, part, noted)
        evaluations.note(db, part, policy, book.judging, many=many, noted=noted)


def _left(db: duckdb.DuckDBPyConnection, part: int) -> tuple[list[Outgoing], Mapping[str, datetime]]:
    return outbox.waiting(db, part), outbox.oldest(db, part)


def _admit(
    db: duckdb.DuckDBPyConnection, part: int, rows: list[Outgoing], there: AbstractSet[int], book: Book
) -> tuple[int, list[Outgoing]]:
    """Return the new generation, and those of *rows* that have yet to be sent.

    What another owner has overtaken isn't sent any more: that one has evaluated since, and its alerts stand.
    """
    written = {row.key.decode(): read(Alert, row.value)[0] for row in rows if row.topic == ALERTS.name}
    newest = {row.alert.id: row.alert for row in alerts.by_id(db, sorted(written))}
    overtaken = {id for id, alert in written.items() if id in newest and newest[id].generation > alert.generation}
    dropped = {row.n for row in rows if _alert_of(row) in overtaken}
    if overtaken:
        work.note_alerts(db, part, sorted(overtaken))
    evaluations.begin(db, part, book.judging)
    return alerts.newest_generation(db, part) + 1, [row for row in rows if row.n not in dropped | there]


def _alert_of(row: Outgoing) -> str:
    key = row.key.decode()
    return key.rsplit("|", 2)[1] if row.topic == DELIVERIES.name else key


def _told(one: Collision) -> tuple[str, tuple[str, str], tuple[str, str]]:
    return one.alert, one.kept, one.dropped
