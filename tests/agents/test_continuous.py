"""What stands after any changes, evaluated as they came, is what a run from scratch finds.

`TIDEGATE_TEST_CHANGES=20000 pytest tests/agents/test_continuous.py` makes that many; TIDEGATE_TEST_SEED chooses others.
"""

import os
from pathlib import Path
from random import Random
from typing import Any

import pytest

from agents.book import Book
from agents.rules import AlertRule, Places
from queries.policy import Policy
from streams.alerts import Alert, read
from streams.store import Part, Store, sweeps
from tests.agents.test_evaluate import ALL, HIT, LOUD, NONE, PAIR, Owner
from tests.streams.store_records import PART, Log, finding, resource

CHANGES = int(os.environ.get("TIDEGATE_TEST_CHANGES", "120"))
SEED = int(os.environ.get("TIDEGATE_TEST_SEED", "1"))
EACH = 40
"""Changes between two comparisons."""
ACCOUNTS = ("123456789012", "210987654321")
APIS = ("aws-ec2-describe-instances", "aws-ec2-describe-security-groups", "aws-cloudtrail-describe-trails")
POLICIES = {policy.id: policy for policy in (LOUD, HIT, NONE, PAIR)}
RULES: tuple[tuple[AlertRule, ...], ...] = (
    (ALL,),
    (AlertRule(id="high", name="High", severities=("high", "critical")),),
    (AlertRule(id="ours", name="Ours", account_groups=("g",)), AlertRule(id="off", name="Off", enabled=False)),
)
Standing = dict[tuple[str, str], tuple[str, ...]]
"""Findings by policy and subject of the open alerts."""


class Life:
    """A partition whose records, policies and rules change, and whose owner does."""

    def __init__(self, folder: Path, chance: Random) -> None:
        self.folder = folder
        self.chance = chance
        self.n = 0
        self.stores = 0
        self.policies = dict(POLICIES)
        self.rules = RULES[0]
        self.group = frozenset(ACCOUNTS[:1])
        self.alerts: dict[str, bytes] = {}
        self.owner = Owner(self._new_log(), self.book())

    def book(self) -> Book:
        return Book(self.policies, self.rules, Places(groups={"g": self.group}))

    def change(self) -> None:
        """Change one thing, and evaluate as much as comes of it at once."""
        what = self.chance.choices(
            (self._resource, self._finding, self._policy, self._rule, self._restart, self._move),
            (60, 30, 3, 3, 2, 1),
        )[0]
        what()
        if self.chance.random() < 0.7:
            self.evaluate()

    def evaluate(self, most: int = 50) -> None:
        while self.owner.evaluate(most).more:
            pass
        for topic, value in self.owner.sent:
            if topic == "alerts":
                self.alerts[read(Alert, value)[0].id] = value
        self.owner.sent.clear()

    def standing(self) -> Standing:
        """Return what is open here."""
        self.evaluate()
        return _standing(self.owner.log.store)

    def from_scratch(self) -> Standing:
        """Return what a new owner with an empty store finds, who knows of no alert."""
        log = self._new_log(self.owner.log)
        owner = Owner(log, self.book())
        while owner.evaluate(1000).more:
            pass
        found = _standing(log.store)
        log.store.close()
        return found

    def _new_log(self, former: Log | None = None) -> Log:
        self.stores += 1
        log = Log(Store.open(self.folder / f"{self.stores}.duckdb", memory="256MB", threads=1, notes_work=True))
        for kind, records in (former.records if former else {}).items():
            if records:
                log.records[kind] = list(records)
                log.store.apply([Part(kind, kind, PART, 0, len(records), records)])
        return log

    def _version(self) -> int:
        self.n += 1
        late = self.chance.random() < 0.1
        return max(1, self.n - self.chance.randrange(1, 20)) if late else self.n

    def _resource(self) -> None:
        chance = self.chance
        number = chance.randrange(12)
        config: dict[str, Any] = {"loud": chance.random() < 0.5, "group": f"g{chance.randrange(3)}"}
        n = self._version()
        made = resource(
            f"r{number}",
            n,
            (f"i-{number}",),
            account=ACCOUNTS[number % 2],
            api_name=APIS[number % 5 % 3],
            config=config | {"n": n},
            deleted=chance.random() < 0.2,
        )
        self.owner.log.add("resources", made)

    def _finding(self) -> None:
        chance = self.chance
        number = chance.randrange(6)
        made = finding(
            f"f{number}",
            self._version(),
            tuple(f"i-{chance.randrange(12)}" for _ in range(chance.randrange(3))),
            account=ACCOUNTS[number % 2],
            severity=chance.choice(("high", "low")),
            status=chance.choice(("open", "open", "resolved")),
            deleted=chance.random() < 0.1,
        )
        self.owner.log.add("findings", made)

    def _policy(self) -> None:
        id = self.chance.choice(sorted(POLICIES))
        match self.chance.randrange(4):
            case 0:
                self.policies.pop(id, None)
            case 1:
                self.policies[id] = POLICIES[id].model_copy(update={"enabled": False})
            case 2:
                text = POLICIES[id].rql.replace("loud is true", "loud is false")
                self.policies[id] = Policy.model_validate(POLICIES[id].model_dump() | {"rql": text})
            case _:
                self.policies[id] = POLICIES[id]
        self._again()

    def _rule(self) -> None:
        self.rules = self.chance.choice(RULES)
        self.group = frozenset(self.chance.sample(ACCOUNTS, self.chance.randrange(3)))
        self._again()

    def _restart(self) -> None:
        self._again()

    def _again(self) -> None:
        self.owner = Owner(self.owner.log, self.book(), self.owner.generation + 1)

    def _move(self) -> None:
        """Another owner has the topics, and nothing of this one's store; what this one noted last is lost with it."""
        self.evaluate()
        before = self.owner
        log = self._new_log(before.log)
        records = [(i, id.encode(), value) for i, (id, value) in enumerate(self.alerts.items())]
        if records:
            log.store.apply([Part("alerts", "alerts", PART, 0, len(records), records)])
        before.log.store.close()
        self.owner = Owner(log, self.book(), before.generation + 1)


def _standing(store: Store) -> Standing:
    rows = store.cursor().execute("select record from alerts where status = 'open'").fetchall()
    alerts = [read(Alert, record.encode())[0] for (record,) in rows]
    return {(one.policy.id, one.resource.subject): tuple(one.findings) for one in alerts}


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("few", [sweeps.FEW, -1], ids=["noted", "swept"])
def test_what_stands_after_any_changes_is_what_a_run_from_scratch_finds(
    tmp_path: Path, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeps, "FEW", few)
    life = Life(tmp_path, Random(SEED))
    seen = 0
    for number in range(1, CHANGES + 1):
        life.change()
        if number % EACH == 0:
            standing = life.standing()
            assert standing == life.from_scratch(), f"seed {SEED}, after {number} changes"
            seen += len(standing)
    life.owner.log.store.close()
    assert seen > 0
