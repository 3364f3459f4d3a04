"""Long runs by command. `python -m tests.queries.longrun properties 1000 400`: 1,000 random conditions are asked of 400
random documents each, on JSON and on hot columns. `python -m tests.queries.longrun fuzz 500000`: so many damaged or
random texts are read.
"""

import contextlib
import json
import random
import sys
import time
from datetime import UTC, datetime
from typing import TypeVar

import duckdb
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy

from queries import RqlError
from queries.compile_rule import compile_rule
from queries.fragment import Sql, filled
from queries.run import prepared
from queries.syntax import Condition
from tests.queries.conditions import conditions, objects
from tests.queries.evaluator import holds
from tests.queries.test_corpus import QUERIES, rows
from tests.queries.test_fuzz import PIECES, REAL
from tests.queries.test_properties import KNOWN, WORLD
from tests.queries.warm import API, asked_of, heat

T = TypeVar("T")
SLOWEST_MS = 50.0


def properties(count: int, documents: int) -> int:
    """Ask *count* conditions of *documents* each, in SQL and in Python; return how many cases differ."""
    differing = 0
    docs: list[object] = [*_drawn(objects, documents)]
    with duckdb.connect() as connection:
        connection.execute("create table resources(rid ubigint, part usmallint, api_name varchar, json json)")
        rows_ = [(n, API, json.dumps(d)) for n, d in enumerate(docs)]
        connection.executemany("insert into resources values (?, 0, ?, ?)", rows_)
        for asked, condition in enumerate(_drawn(conditions(), count), 1):
            differing += _differ(connection, condition, docs)
            if asked % 100 == 0:
                _say(f"{asked * len(docs):,} cases, {differing} differ")
    return differing


def _differ(connection: duckdb.DuckDBPyConnection, condition: Condition, docs: list[object]) -> int:
    rule = compile_rule(condition, Sql("r.json"))
    statements = {"documents": (f"select r.rid from resources r where {rule.text}", filled(rule, KNOWN))}
    paths = asked_of(condition)
    if paths is not None:
        hot = heat(connection, paths)
        rule = compile_rule(condition, Sql("r.json"), hot.columns)
        statements["hot columns"] = (f"select h.rid from {hot.name} h where {rule.text}", filled(rule, KNOWN))
    true_of = {n for n, doc in enumerate(docs) if holds(condition, doc, doc, WORLD)}
    wrong: set[int] = set()
    for name, (text, values) in statements.items():
        got = {n for (n,) in connection.execute(text, values).fetchall()}
        for n in sorted(got ^ true_of)[:1]:
            _say(f"{condition}\n{json.dumps(docs[n])}\nSQL on {name} says {n in got}")
        wrong |= got ^ true_of
    return len(wrong)


def fuzz(count: int, seed: int = 1) -> int:
    """Read *count* texts; return how many raised what isn't an RqlError or took too long."""
    chance = random.Random(seed)
    real = [*REAL, *(row["query"] for row in rows())] if QUERIES.exists() else list(REAL)
    wrong, slowest = 0, 0.0
    for read in range(1, count + 1):
        text = _damaged(chance, real)
        start = time.thread_time()
        try:
            prepared.__wrapped__(text)
        except RqlError as error:
            str(error)
        except Exception as error:  # noqa: BLE001 # this is what is looked for
            wrong += 1
            _say(f"{type(error).__name__}: {error}\n{text!r}")
        took = (time.thread_time() - start) * 1000
        if took > SLOWEST_MS:
            took = min(took, _again(text))  # the machine may have been busy
            wrong += took > SLOWEST_MS
            _say(f"{took:.0f} ms: {text[:2000]!r}")
        if took > slowest:
            slowest = took
        if read % 50_000 == 0:
            _say(f"{read:,} texts, {wrong} wrong, slowest {slowest:.1f} ms, {datetime.now(UTC):%H:%M:%S}")
    return wrong


def _again(text: str) -> float:
    best = float("inf")
    for _ in range(3):
        start = time.thread_time()
        with contextlib.suppress(RqlError):
            prepared.__wrapped__(text)
        best = min(best, (time.thread_time() - start) * 1000)
    return best


def _damaged(chance: random.Random, real: list[str]) -> str:
    kind = chance.random()
    if kind < 0.1:
        return "".join(chr(chance.choice((chance.randrange(32, 127), chance.randrange(0x2FFF)))) for _ in range(60))
    if kind < 0.2:
        return "config where json.rule = " + " ".join(chance.choices(PIECES, k=chance.randrange(1, 12)))
    text = chance.choice(real)
    for _ in range(chance.randrange(1, 5)):
        at = chance.randrange(len(text) + 1)
        cut = chance.choice((0, 0, 1, 2, 5, 20))
        put = chance.choice((chance.choice(PIECES), "", text[: chance.randrange(20)], chr(chance.randrange(0x10FFFF))))
        text = text[:at] + put + text[at + cut :]
    return text


def _drawn(strategy: SearchStrategy[T], count: int) -> list[T]:
    found: list[T] = []

    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(one=strategy)
    def collect(one: T) -> None:
        found.append(one)

    collect()
    return found[:count]


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    """Do what *arguments* say; return 1 if anything was wrong."""
    match arguments:
        case ["properties", count, documents]:
            return min(1, properties(int(count), int(documents)))
        case ["fuzz", count]:
            return min(1, fuzz(int(count)))
        case _:
            _say(__doc__ or "")
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
