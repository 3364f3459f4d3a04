"""Hot columns in the store: which paths are wanted, and how their tables are filled while the store is written to.

A batch only notes which resources it touched (`hot_pending`): queries read the documents of these and the columns of
all others. The store's thread copies them later, many at once, between batches. A table with other paths is built
beside the one in use, in slices, and takes its place when it holds every resource.
"""

# ruff: noqa: S608 - SQL is made of our own numbers and names; values are bound

import json
import logging
import os
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from hashlib import md5
from pathlib import Path
from typing import Any, Literal, NamedTuple

import duckdb

from queries.errors import RqlError
from queries.fragment import Slot, filled
from queries.hot_table import HotTable, ddl, fill, read_path, table
from streams.errors import StoreError
from streams.store.merge import Records
from streams.store.places import Places

log = logging.getLogger(__name__)

Origin = Literal["user", "policy", "query", "never"]
"""Why a path is hot; `never`: a user has dropped it, and it stays so whoever else wants it."""

_ORIGINS = ("user", "policy", "query")

MOST_PATHS = 100
"""Paths of one API: a user's first, then those of policies, then those of frequent queries."""
LEAST, MOST = 500, 5_000
"""Resources copied in one transaction, so many that it takes SLICE_S."""
SLICE_S = 0.2
PATIENCE_S = 10.0
"""How long few changed resources wait: copying a few costs nearly as much as copying thousands."""
MANY = 2_000
"""Changed resources that don't wait."""

Transact = Callable[[str, Callable[[duckdb.DuckDBPyConnection], Any]], Any]

_DDL = """
create table if not exists hot_paths(api_name VARCHAR, path VARCHAR, origin VARCHAR, since TIMESTAMP);
create table if not exists hot_tables(n INTEGER, api_name VARCHAR, paths VARCHAR, ready BOOLEAN);
create table if not exists hot_pending(part USMALLINT, rid UBIGINT);
create table if not exists hot_filling(n INTEGER, rid UBIGINT);
"""


class HotColumns:
    """The hot columns of one store. *file* keeps what is wanted for a store that is built anew."""

    def __init__(self, db: duckdb.DuckDBPyConnection, file: Path, transact: Transact, places: Places) -> None:
        self._db = db
        self._file = file
        self._transact = transact
        self._places = places
        self._slice = LEAST
        self._waiting_since: float | None = None
        self._failed: dict[str, frozenset[str]] = {}
        self._tables: list[_Built] = []
        db.execute(_DDL)
        self._remember()

    def check(self) -> None:
        """Build the tables anew that don't hold as many rows as they should: somebody else has written resources."""
        self._reload()
        rows = dict(self._db.execute("select api_name, count(*) from resources group by all").fetchall())
        wrong = []
        for built in self._tables:
            ((held,),) = self._db.execute(f"select count(*) from {built.hot.name}").fetchall()
            ((late,),) = self._db.execute("select count(*) from hot_pending").fetchall()
            if built.ready and not late and held != rows.get(built.hot.api_name, 0):
                wrong.append(built)
        if wrong:
            log.warning("hot columns of %s are built anew", ", ".join(built.hot.api_name for built in wrong))
            self._transact("hot columns", lambda db: _discard(db, wrong))
            self._reload()
        self._waiting_since = time.monotonic() - PATIENCE_S

    def note(self, records: Records | None) -> None:
        """Note, in a batch's transaction, that the resources of these records may have changed."""
        if not self._tables or records is None:
            return
        at = zip(records.parts, records.keys, strict=True)
        touched = {(part, _rid(key)) for part, key in at if key is not None}
        if touched:
            columns = [list(column) for column in zip(*sorted(touched), strict=True)]
            self._db.execute("insert into hot_pending select unnest($1::USMALLINT[]), unnest($2::UBIGINT[])", columns)
            if self._waiting_since is None:
                self._waiting_since = time.monotonic()

    def drop_part(self, kind: str, part: int) -> None:
        """Forget a partition's resources, in the transaction that does so elsewhere; other kinds have nothing here."""
        if kind != "resources":
            return
        for built in self._tables:
            self._db.execute(f"delete from {built.hot.name} where part = ?", [part])
        self._db.execute("delete from hot_pending where part = ?", [part])

    def want(self, wanted: Mapping[str, Collection[str]], origin: Origin, *, only: bool = False) -> None:
        """Want these paths, by api.name. *only*: and no others of this origin any more. Raises RqlError for what is no
        path that can be hot.
        """
        rows = [(api, str(read_path(path)), origin) for api, paths in wanted.items() for path in sorted(paths)]
        there = {(api, path) for api, path, from_ in self._wanted() if from_ == origin}
        if {row[:2] for row in rows} == there or (not only and {row[:2] for row in rows} <= there):
            return

        def write(db: duckdb.DuckDBPyConnection) -> None:
            if only:
                db.execute("delete from hot_paths where origin = ?", [origin])
            for api, path, _ in rows:
                former = [origin, "never"] if origin == "user" else [origin]
                db.execute(
                    "delete from hot_paths where api_name = ? and path = ? and list_contains(?, origin)",
                    [api, path, former],
                )
            if rows:
                db.executemany("insert into hot_paths values (?, ?, ?, now() at time zone 'UTC')", rows)

        self._transact("hot paths", write)
        self._keep()

    def drop(self, api_name: str, path: str) -> bool:
        """Let *path* be cold from now on, whoever wants it; False where it wasn't hot."""
        path = str(read_path(path))
        if not any((api, each) == (api_name, path) and why != "never" for api, each, why in self._wanted()):
            return False

        def write(db: duckdb.DuckDBPyConnection) -> None:
            db.execute("delete from hot_paths where api_name = ? and path = ?", [api_name, path])
            db.execute("insert into hot_paths values (?, ?, 'never', now() at time zone 'UTC')", [api_name, path])

        self._transact("hot paths", write)
        self._keep()
        return True

    def step(self) -> bool:
        """Do a little of what there is to do: some SLICE_S of time. Return whether there is more that shouldn't wait.

        What can't be copied is given up, with a warning: queries read documents then.
        """
        self._arrange()
        pending = self._pending()
        due = self._waiting_since is not None and time.monotonic() - self._waiting_since >= PATIENCE_S
        filling = next((built for built in self._tables if not built.ready), None)
        if pending and (due or len(pending) >= MANY):
            self._slice_of(lambda: self._copy_pending(pending[: self._slice]))
            if len(pending) <= self._slice:
                self._waiting_since = None
        elif filling is not None:
            self._slice_of(lambda: self._fill(filling))
        return len(pending) >= MANY or any(not built.ready for built in self._tables)

    def _slice_of(self, work: Callable[[], int]) -> None:
        began = time.monotonic()
        done = work()
        took = time.monotonic() - began
        if done >= self._slice // 2:
            self._slice = int(min(MOST, max(LEAST, self._slice * min(2.0, max(0.25, SLICE_S / max(took, 1e-3))))))

    def _arrange(self) -> None:
        """Begin the tables that are wanted, drop those that aren't."""
        rows = self._wanted()
        wanted = _sets(rows)
        begun, gone = [], []
        for api in sorted(wanted.keys() | {built.hot.api_name for built in self._tables}):
            paths = wanted.get(api, frozenset())
            never = {path for name, path, why in rows if name == api and why == "never"}
            there = [built for built in self._tables if built.hot.api_name == api]
            newest = max(there, key=lambda built: built.hot.number, default=None)
            if not paths:
                gone += there
            elif newest is None or not paths <= newest.paths or newest.paths & never:
                if self._failed.get(api) == paths:
                    continue
                gone += [built for built in there if not built.ready]
                begun.append((api, paths))
        if begun or gone:
            self._transact("hot columns", lambda db: self._begin(db, begun, gone))
            self._reload()

    def _begin(
        self, db: duckdb.DuckDBPyConnection, begun: Iterable[tuple[str, frozenset[str]]], gone: Iterable["_Built"]
    ) -> None:
        _discard(db, gone)
        highest = max((built.hot.number for built in self._tables), default=0)
        for number, (api, paths) in enumerate(begun, highest + 1):
            hot = table(number, api, sorted(paths))
            db.execute(ddl(hot))
            db.execute("insert into hot_tables values (?, ?, ?, false)", [number, api, json.dumps(sorted(paths))])
            db.execute("insert into hot_filling select ?, rid from resources where api_name = ?", [number, api])

    def _fill(self, built: "_Built") -> int:
        number = built.hot.number
        found = self._db.execute(
            "select rid from hot_filling where n = ? order by rowid limit ?", [number, self._slice]
        ).fetchall()
        rids = [rid for (rid,) in found]
        rows = self._rows(rids) if rids else []

        def write(db: duckdb.DuckDBPyConnection) -> None:
            if rids:
                _copy(db, built, rids, rows)
                db.execute(
                    "delete from hot_filling where n = ? and rid in (select unnest(?::UBIGINT[]))", [number, rids]
                )
            else:
                _discard(db, [t for t in self._tables if t.hot.api_name == built.hot.api_name and t is not built])
                db.execute("update hot_tables set ready = true where n = ?", [number])

        self._try([built], write)
        if not rids:
            self._reload()
            log.info("%d hot columns of %s", len(built.paths), built.hot.api_name)
        return len(rids)

    def _copy_pending(self, pending: Sequence[int]) -> int:
        rows = self._rows(pending)
        found = self._db.execute(
            "select rid, rowid, api_name from resources where rowid in (select unnest(?::BIGINT[]))", [rows]
        ).fetchall()
        apis = {api for *_, api in found}
        gone = len({rid for rid, *_ in found}) < len(set(pending))  # of any API
        touched = [built for built in self._tables if gone or built.hot.api_name in apis]

        def write(db: duckdb.DuckDBPyConnection) -> None:
            for built in touched:
                own = [row for _, row, api in found if api == built.hot.api_name]
                _copy(db, built, pending, own)
            db.execute("delete from hot_pending where rid in (select unnest(?::UBIGINT[]))", [list(pending)])

        self._try(touched, write)
        return len(pending)

    def _try(self, built: Sequence["_Built"], write: Callable[[duckdb.DuckDBPyConnection], None]) -> None:
        try:
            self._transact("hot columns", write)
        except StoreError as error:
            for each in built:
                log.warning("%s has no hot columns: %s", each.hot.api_name, error)
                self._failed[each.hot.api_name] = _sets(self._wanted()).get(each.hot.api_name, frozenset())
            self._transact("hot columns", lambda db: _discard(db, built))
            self._reload()

    def _rows(self, rids: Sequence[int]) -> list[int]:
        self._places.refresh()
        return [row for row, *_ in self._places.find("part", rids)]

    def _pending(self) -> list[int]:
        if not self._tables:
            if self._waiting_since is not None:
                self._db.execute("delete from hot_pending")
                self._waiting_since = None
            return []
        found = self._db.execute(
            "select distinct rid from hot_pending limit ?", [max(self._slice, MANY) * 2]
        ).fetchall()
        return [rid for (rid,) in found]

    def _wanted(self) -> list[tuple[str, str, str]]:
        return self._db.execute("select api_name, path, origin from hot_paths").fetchall()

    def _reload(self) -> None:
        rows = self._db.execute("select n, api_name, paths, ready from hot_tables order by n").fetchall()
        self._tables = [
            _Built(table(n, api, json.loads(paths)), frozenset(json.loads(paths)), ready)
            for n, api, paths, ready in rows
        ]

    def _keep(self) -> None:
        unfinished = self._file.with_name(self._file.name + ".tmp")
        unfinished.write_text(json.dumps(sorted(self._wanted()), indent=1))
        os.replace(unfinished, self._file)

    def _remember(self) -> None:
        if self._wanted() or not self._file.exists():
            return
        rows = []
        try:
            for api, path, why in json.loads(self._file.read_text()):
                rows.append((str(api), str(read_path(path)), str(why)))
        except (OSError, ValueError, TypeError, RqlError) as error:
            log.warning("%s can't be read, hot paths that users have added are lost: %s", self._file, error)
        if rows:
            self._db.executemany("insert into hot_paths values (?, ?, ?, now() at time zone 'UTC')", rows)


class _Built(NamedTuple):
    """A table, the texts of its paths, and whether it holds every resource."""

    hot: HotTable
    paths: frozenset[str]
    ready: bool


def _sets(wanted: Iterable[tuple[str, str, str]]) -> dict[str, frozenset[str]]:
    """Return the paths that each API should have."""
    order: dict[str, list[tuple[int, str]]] = {}
    never = {(api, path) for api, path, why in wanted if why == "never"}
    for api, path, why in wanted:
        if (api, path) not in never:
            order.setdefault(api, []).append((_ORIGINS.index(why), path))
    most = {api: list(dict.fromkeys(path for _, path in sorted(each)))[:MOST_PATHS] for api, each in order.items()}
    return {api: frozenset(paths) for api, paths in most.items()}


def _copy(db: duckdb.DuckDBPyConnection, built: _Built, rids: Sequence[int], rows: Sequence[int]) -> None:
    """Bring the rows of *rids* into step with the resources' *rows*."""
    db.execute(f"delete from {built.hot.name} where rid in (select unnest(?::UBIGINT[]))", [list(rids)])
    if rows:
        statement = fill(built.hot)
        db.execute(statement.text, filled(statement, {Slot.PENDING: list(rows)}))


def _discard(db: duckdb.DuckDBPyConnection, gone: Iterable[_Built]) -> None:
    for built in gone:
        db.execute(f"drop table if exists {built.hot.name}")
        db.execute("delete from hot_tables where n = ?", [built.hot.number])
        db.execute("delete from hot_filling where n = ?", [built.hot.number])


def _rid(key: bytes) -> int:
    """Return md5_number_lower of a key, as resources have it."""
    return int.from_bytes(md5(key, usedforsecurity=False).digest()[8:], "little")
