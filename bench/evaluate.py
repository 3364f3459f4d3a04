"""What an evaluation costs: with many policies that aren't about a record, with many resources, and of everything."""

import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
import orjson

from agents.book import Book
from agents.evaluate import Setting, evaluate
from bench.figures import Figure, Pairs, interleaved
from bench.fill import fill
from queries.policy import Policy
from streams.store import Part, Store, evaluations, sweeps
from streams.store.outbox import Outbox

INSTANCES = "aws-ec2-describe-instances"
GROUPS = "aws-ec2-describe-security-groups"
BATCH = 100
ROUNDS = 8
SMALL = 10_000


class Judge:
    """A store and its evaluation, both in this thread; *cpu* is of the last evaluation, in ms."""

    def __init__(self, folder: Path, resources: int, policies: int) -> None:
        self.store = Store.open(folder / f"{resources}-{policies}.duckdb", memory="3GB", notes_work=True)
        fill(self.store, resources=resources, findings=resources // 5, keep_records=False)
        self._outbox = Outbox(self.store.cursor())
        self._offset = self.store.next_offset("resources", 0) or 0
        self.book = Book({policy.id: policy for policy in _policies(policies)})
        self._turn = 0
        self.stored = 0.0
        self.store.transact("all is known", lambda db: evaluations.begin(db, 0, self.book.judging))
        self.store.transact("and judged", lambda db: db.execute("delete from work; delete from sweeps"))

    def change(self) -> float:
        """Change some instances, and return the CPU in ms that evaluating a record costs."""
        self._turn += 1
        records = [_record(self._offset + n, n, self._turn) for n in range(BATCH)]
        began = time.process_time()
        self.store.apply([Part("resources", "resources", 0, self._offset, self._offset + BATCH, records)])
        self.stored = (time.process_time() - began) * 1000 / BATCH
        self._offset += BATCH
        began = time.process_time()
        self.evaluate()
        return (time.process_time() - began) * 1000 / BATCH

    def evaluate(self) -> bool:
        """Evaluate what waits, and return whether there is more."""
        setting = Setting(self.book, {0: 1}, datetime.now(UTC))

        def work(db: duckdb.DuckDBPyConnection) -> bool:
            return evaluate(db, setting, self._outbox, 1000, self.store).more

        return self.store.transact("an evaluation", work, world=True)

    def sweep(self) -> None:
        """Let all policies look at everything, as when they are new."""

        def begin(db: duckdb.DuckDBPyConnection) -> None:
            sweeps.begin(db, 0, self.book.judging.single)

        def waiting(db: duckdb.DuckDBPyConnection) -> sweeps.Sweep | None:
            return sweeps.waiting(db, [0])

        self.store.transact("all policies are new", begin)
        with self.store.cursor() as reading:
            while sweep := self.store.transact("what waits", waiting):
                found = sweeps.look(reading, sweep, self.book.conditions, datetime.now(UTC))
                self.store.transact("a sweep", partial(sweeps.end, sweep=sweep, found=found))
        while self.evaluate():
            pass


def run(*, quick: bool = False) -> list[Figure]:
    """Measure by CPU of one thread, by turns."""
    many = 50_000 if quick else 1_000_000
    with tempfile.TemporaryDirectory(prefix="tidegate-bench-") as name:
        folder = Path(name)
        few, all_ = Judge(folder, SMALL, 10), Judge(folder, SMALL, 500)
        policies = _pairs(all_.change, few.change)
        few.store.close()
        all_.store.close()
        figures = [
            policies.figure("policies_ratio", "evaluating a record, 500 policies over 10, 10 concern it", at_most=1.5),
            Figure(
                "record", f"evaluating a record, 10 policies, {SMALL:,} resources", median(policies.theirs), "ms CPU"
            ),
        ]
        small, large = Judge(folder, SMALL, 100), Judge(folder, many, 100)
        resources = _pairs(large.change, small.change)
        figures += [
            resources.figure("resources_ratio", f"evaluating a record, {many:,} resources over {SMALL:,}", at_most=1.5),
            Figure("stored_ratio", "the same of storing it, for scale", large.stored / small.stored, "x"),
        ]
        small.store.close()
        figures += _whole(large, many)
        large.store.close()
    return figures


def _whole(judge: Judge, resources: int) -> list[Figure]:
    """All policies over everything, against the sum of their SQL by hand."""
    began = time.process_time()
    judge.sweep()
    ours = time.process_time() - began
    db = judge.store.cursor()
    began = time.process_time()
    for api, path, value in _RULES:
        where = f"api_name = ? and json_extract_string(json, '{path}') = ?"
        db.execute(f"select count(*) from resources where not deleted and {where}", [api, value]).fetchall()
    by_hand = time.process_time() - began
    db.close()
    what = f"{len(_RULES)} new policies over {resources:,} resources, the alerts included"
    return [
        Figure("whole", what, ours, "s CPU"),
        Figure("whole_ratio", f"{what}, over the sum of their SQL by hand", ours / by_hand, "x", at_most=3),
    ]


def _pairs(ours: Callable[[], float], theirs: Callable[[], float]) -> Pairs:
    for _ in range(4):  # rows are found by scans at first
        ours()
        theirs()
    return interleaved(ours, theirs, ROUNDS)


_RULES: tuple[tuple[str, str, str], ...] = tuple(
    [(INSTANCES, '$."imageId"', f"ami-{n}") for n in range(60)]
    + [(GROUPS, '$."description"', f"made by {n}") for n in range(39)]
    + [(INSTANCES, '$."instanceType"', "x9.huge")]
)
"""What 100 policies ask: paths of two APIs that nothing violates, so that the asking is what is measured."""


def _policies(count: int) -> list[Policy]:
    """Return policies; of *count*, 10 are about instances, as the records are; of 100, those of _RULES."""
    if count == 100:
        asked = [(api, path.removeprefix('$."').rstrip('"'), value) for api, path, value in _RULES]
    else:
        asked = [(INSTANCES, "instanceType", f"x{n}.huge") for n in range(10)]
        asked += [(f"aws-made-up-describe-{n // 10}", "kind", f"k{n}") for n in range(count - 10)]
    return [
        _policy(n, f"api.name = '{api}' and json.rule = {path} equals \"{value}\"")
        for n, (api, path, value) in enumerate(asked)
    ]


def _policy(number: int, where: str) -> Policy:
    said: Mapping[str, Any] = {
        "id": f"p{number}",
        "name": f"Policy {number}",
        "severity": "low",
        "description": "Made up.",
        "recommendation": "None.",
        "rql": f"config from cloud.resource where {where}",
    }
    return Policy(**said)


def _record(offset: int, number: int, turn: int) -> tuple[int, bytes, bytes]:
    account, id = f"{number % 50:012d}", f"i-{number:017x}"
    rrn = f"rrn:aws:{INSTANCES}:eu-central-1:{account}:{number:010x}:{id}"
    record = {
        "rrn": rrn,
        "account": account,
        "cloud": "aws",
        "region": "eu-central-1",
        "api_name": INSTANCES,
        "resource_type": "AWS::EC2::Instance",
        "service": "Amazon EC2",
        "id": id,
        "name": f"n{number}",
        "tags": {},
        "keys": [id],
        "created": None,
        "deleted": False,
        "version": f"{turn + 1_800_000_000_000:015d}.00000000000000000000.raw.x.00000.{offset:015d}.000000",
        "config": {"instanceId": id, "instanceType": "t3.micro", "imageId": "ami-x", "note": "x" * 1000, "turn": turn},
    }
    return offset, rrn.encode(), orjson.dumps(record)
