"""Evaluations in a store: what is touched, what comes of it, and what a second look leaves alone."""

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from agents.book import Book
from agents.evaluate import Done, Setting, command, evaluate
from agents.evaluator import Evaluator
from agents.rules import DEFAULT, AlertRule, Channel
from queries.policy import Policy, touches
from streams.alerts import Alert, AlertCommand, AlertEvent, Delivery, read
from streams.produce import BatchProducer
from streams.settings import Settings
from streams.store import Part, Store, evaluations, sweeps, work
from streams.store.alerts import by_id
from streams.store.outbox import Outbox
from streams.store.thread import StoreThread
from tests.streams.store_records import PART, Log, finding, resource

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LOUD = Policy(
    id="loud",
    name="An instance is loud",
    severity="high",
    description="It is.",
    recommendation="Hush.",
    rql="config from cloud.resource where api.name = 'aws-ec2-describe-instances' and json.rule = loud is true",
)
HIT = Policy(
    id="hit",
    name="An instance is attacked",
    severity="critical",
    description="It is.",
    recommendation="Look.",
    rql="config from cloud.resource where api.name = 'aws-ec2-describe-instances' and finding.severity = 'high'",
)
NONE = Policy(
    id="none",
    name="No trail",
    severity="medium",
    description="There is none.",
    recommendation="Make one.",
    rql="config from cloud.resource where api.name = 'aws-cloudtrail-describe-trails' as X; count(X) less than 1",
)
PAIR = Policy(
    id="pair",
    name="An instance is in a loud group",
    severity="low",
    description="It is.",
    recommendation="Move it.",
    rql="""config from cloud.resource where api.name = 'aws-ec2-describe-instances' as X;
        config from cloud.resource where api.name = 'aws-ec2-describe-security-groups'
            and json.rule = loud is true as Y;
        filter '$.X.group equals $.Y.group'; show X;""",
)
AGED = "_DateTime.ageInDays(made) > 30"
ALL = AlertRule(id="all", name="All", channels=(Channel(integration="hook", states=("open", "resolved", "dismissed")),))


class Owner:
    """One owner of the partition PART, who evaluates what the log brings."""

    def __init__(self, log: Log, book: Book, generation: int = 1) -> None:
        self.log = log
        self.book = book
        self.generation = generation
        self.now = NOW
        self.outbox = Outbox(log.store.cursor())
        self.sent: list[tuple[str, bytes]] = []
        self.begin()

    def begin(self) -> None:
        def work(db: Any) -> None:
            evaluations.begin(db, PART, self.book.judging)

        self.log.store.transact("begin", work)

    @property
    def setting(self) -> Setting:
        return Setting(self.book, {PART: self.generation}, self.now)

    def evaluate(self, most: int = 1000) -> Done:
        """Evaluate, and then sweep and evaluate what that has found."""
        done = self.evaluate_once(most)
        while not done.more and self._sweep():
            done = self.evaluate_once(most)
        return done

    def _sweep(self) -> bool:
        store = self.log.store
        sweep = store.transact("what waits", lambda db: sweeps.waiting(db, [PART]))
        if sweep is None:
            return False
        with store.cursor() as reading:
            found = sweeps.look(reading, sweep, self.book.conditions, self.now)
        store.transact("a sweep", lambda db: sweeps.end(db, sweep, found))
        return True

    def evaluate_once(self, most: int = 1000) -> Done:
        done = self.log.store.transact(
            "evaluate",
            lambda db: evaluate(db, self.setting, self.outbox, most, self.log.store),
            world=True,
        )
        self.sent += [(row.topic, row.value) for row in done.outgoing]
        return done

    def command(self, action: Any, alert: str, id: str = "c") -> Done:
        one = AlertCommand(id=id, alert=alert, account="123456789012", action=action, by="ann", note="known", at=1)
        done = self.log.store.transact("command", lambda db: command(db, self.setting, self.outbox, PART, [one]))
        self.sent += [(row.topic, row.value) for row in done.outgoing]
        return done

    def events(self) -> list[tuple[str, int, str]]:
        """Return what was told since the last call: kind, seq, policy."""
        told = [read(AlertEvent, value)[0] for topic, value in self.sent if topic == "alert-events"]
        deliveries = [read(Delivery, value)[0].event.id for topic, value in self.sent if topic == "deliveries"]
        assert deliveries == [event.id for event in told]
        audited = [orjson.loads(value) for topic, value in self.sent if topic == "audit-trail"]
        assert [one["change"] for one in audited if one["kind"] == "alert"] == [event.kind for event in told]
        self.sent.clear()
        return [(event.kind, event.seq, event.alert.policy.id) for event in told]

    def trail(self) -> list[tuple[str, str]]:
        """Return what the audit trail was told of configurations and findings since the last call."""
        told = [orjson.loads(value) for topic, value in self.sent if topic == "audit-trail"]
        self.sent.clear()
        return [(one["kind"], one["change"]) for one in told if one["kind"] != "alert"]


@pytest.fixture(params=[sweeps.FEW, -1], ids=["noted", "swept"])
def log(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    """A log of a partition; what a policy's change may touch is noted one by one, or swept in slices of a few."""
    monkeypatch.setattr(sweeps, "FEW", request.param)
    store = Store.open(tmp_path / "s.duckdb", notes_work=True)
    yield Log(store)
    store.close()


def book(*policies: Policy, rules: tuple[AlertRule, ...] = (ALL,)) -> Book:
    return Book({policy.id: policy for policy in policies}, rules)


def loud(rrn: str, n: int, loud: bool = True, keys: tuple[str, ...] = (), **more: Any) -> tuple[bytes, bytes]:
    return resource(rrn, n, keys, config={"loud": loud, "n": n}, **more)


def test_an_alert_opens_once_and_resolves_when_its_resource_is_mended(log: Log) -> None:
    owner = Owner(log, book(LOUD))
    log.add("resources", loud("a", 1), loud("b", 1, False))
    assert owner.evaluate_once().counts["evaluated"] == 2
    owner.evaluate()
    assert owner.events() == [("opened", 1, "loud")]
    log.add("resources", loud("a", 2))
    owner.evaluate()
    assert owner.events() == []
    log.add("resources", loud("a", 3, False))
    owner.evaluate()
    assert owner.events() == [("resolved", 2, "loud")]
    log.add("resources", loud("a", 4))
    owner.evaluate()
    assert owner.events() == [("reopened", 3, "loud")]
    assert owner.evaluate().counts["evaluated"] == 0


def test_a_deleted_resource_resolves_its_alerts_and_says_so(log: Log) -> None:
    owner = Owner(log, book(LOUD))
    log.add("resources", loud("a", 1))
    owner.evaluate()
    log.add("resources", loud("a", 2, deleted=True))
    owner.evaluate()
    (alert,) = alerts(log)
    assert (alert.status, alert.reason) == ("resolved", "RESOURCE_DELETED")


def test_a_finding_opens_and_its_end_resolves_whatever_came_first(log: Log) -> None:
    owner = Owner(log, book(HIT))
    log.add("findings", finding("f", 1, ("i-1",)))
    owner.evaluate()
    assert owner.events() == []
    log.add("resources", loud("a", 1, keys=("i-1",)))
    owner.evaluate()
    assert owner.events() == [("opened", 1, "hit")]
    assert alerts(log)[0].findings == ["f"]
    log.add("findings", finding("g", 1, ("i-1",)))
    owner.evaluate()
    assert owner.events() == [("updated", 2, "hit")]
    log.add("findings", finding("f", 2, ("i-2",)), finding("g", 2, ("i-1",), status="fixed"))
    owner.evaluate()
    assert owner.events() == [("resolved", 3, "hit")]


def test_what_is_dismissed_stays_so_and_what_is_reopened_is_looked_at_again(log: Log) -> None:
    owner = Owner(log, book(LOUD))
    log.add("resources", loud("a", 1))
    owner.evaluate()
    (alert,) = alerts(log)
    owner.command("dismiss", alert.id)
    log.add("resources", loud("a", 2, False))
    owner.evaluate()
    assert owner.events() == [("opened", 1, "loud"), ("dismissed", 2, "loud")]
    owner.command("reopen", alert.id, "d")
    owner.evaluate()
    assert owner.events() == [("reopened", 3, "loud"), ("resolved", 4, "loud")]
    assert owner.command("dismiss", alert.id, "e").refusals
    assert owner.command("dismiss", "P-1", "f").refusals


def test_a_violation_that_no_rule_covers_is_no_alert(log: Log) -> None:
    owner = Owner(log, book(LOUD, HIT, rules=(AlertRule(id="r", name="R", policies=("hit",)),)))
    log.add("resources", loud("a", 1))
    owner.evaluate()
    assert alerts(log) == []


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        (book(), "POLICY_DELETED"),
        (book(LOUD.model_copy(update={"enabled": False})), "POLICY_DISABLED"),
        (book(LOUD, rules=(AlertRule(id="r", name="R", policies=("hit",)),)), "ALERT_RULE_UPDATED"),
        (book(Policy(**{**LOUD.model_dump(), "rql": LOUD.rql.replace("true", "false")})), "POLICY_UPDATED"),
    ],
)
def test_an_alert_resolves_with_what_it_rested_on(log: Log, after: Book, reason: str) -> None:
    owner = Owner(log, book(LOUD))
    log.add("resources", loud("a", 1), loud("b", 1, False))
    owner.evaluate()
    owner.book, owner.generation = after, 2
    owner.begin()
    owner.evaluate()
    (alert,) = (alert for alert in alerts(log) if alert.resource.rrn == "a")
    assert (alert.status, alert.reason, alert.generation) == ("resolved", reason, 2)


def test_a_new_policy_looks_at_everything_once(log: Log) -> None:
    owner = Owner(log, book(HIT))
    log.add("resources", loud("a", 1), loud("b", 1))
    owner.evaluate()
    owner.book = book(HIT, LOUD)
    owner.begin()
    assert owner.evaluate(most=1).more
    owner.evaluate(most=1)
    assert sorted(alert.resource.rrn for alert in alerts(log)) == ["a", "b"]
    owner.begin()
    assert owner.evaluate().counts["evaluated"] == 0


def test_an_account_in_which_there_is_none_has_an_alert_until_there_is_one(log: Log) -> None:
    owner = Owner(log, book(NONE))
    trail: dict[str, Any] = {"api_name": "aws-cloudtrail-describe-trails"}
    log.add("resources", loud("a", 1), resource("b", 1, (), account="210987654321"), loud("t", 1, **trail))
    owner.evaluate()
    assert [(one.status, one.resource.account, one.resource.rrn) for one in alerts(log)] == [
        ("open", "210987654321", "")
    ]
    log.add("resources", loud("t", 2, deleted=True, **trail))
    owner.evaluate()
    assert [one.status for one in alerts(log)] == ["open", "open"]
    log.add("resources", loud("t", 3, **trail))
    owner.evaluate()
    assert sorted(one.status for one in alerts(log)) == ["open", "resolved"]
    owner.book = book()
    owner.begin()
    owner.evaluate()
    assert sorted((one.status, one.reason) for one in alerts(log)) == [
        ("resolved", "POLICY_DELETED"),
        ("resolved", "RESOURCE_UPDATED"),
    ]


def test_a_join_opens_and_resolves_by_either_side(log: Log) -> None:
    owner = Owner(log, book(PAIR, LOUD))
    group: dict[str, Any] = {"api_name": "aws-ec2-describe-security-groups"}
    log.add("resources", resource("i", 1, config={"group": "g"}))
    owner.evaluate()
    assert owner.events() == []
    log.add("resources", resource("g", 1, config={"group": "g", "loud": True}, **group))
    owner.evaluate()
    assert owner.events() == [("opened", 1, "pair")]
    log.add("resources", resource("i", 2, config={"group": "g", "loud": True}))
    owner.evaluate()
    assert owner.events() == [("opened", 1, "loud")]
    log.add("resources", resource("g", 2, config={"group": "g", "loud": False}, **group))
    owner.evaluate()
    assert owner.events() == [("resolved", 2, "pair")]
    owner.book = book(LOUD)
    owner.begin()
    owner.evaluate()
    owner.book = book(PAIR, LOUD)
    log.add("resources", resource("g", 3, config={"group": "g", "loud": True}, **group))
    owner.begin()
    owner.evaluate()
    assert owner.events() == [("reopened", 3, "pair")]


def test_what_only_time_makes_a_violation_is_found_when_the_hour_strikes(log: Log) -> None:
    old = Policy(**{**LOUD.model_dump(), "id": "old", "rql": LOUD.rql.replace("loud is true", AGED)})
    owner = Owner(log, book(old))
    log.add("resources", resource("a", 1, config={"made": "2026-11-01T12:00:00Z"}))
    owner.evaluate()
    assert owner.events() == []
    assert touches(old).time
    owner.now = NOW + timedelta(days=30)
    owner.evaluate()
    assert owner.events() == []
    noted = work.BY_TIME + "old"
    log.store.transact("hour", lambda db: work.note_policy(db, PART, "old", touches(old).api_names, noted))
    owner.evaluate()
    assert owner.events() == [("opened", 1, "old")]


def test_a_rebuilt_store_with_its_alerts_tells_nothing_again(log: Log, tmp_path: Path) -> None:
    owner = Owner(log, book(LOUD, HIT))
    log.add("resources", loud("a", 1, keys=("i-1",)), loud("b", 1), loud("c", 1))
    log.add("findings", finding("f", 1, ("i-1",)))
    owner.evaluate()
    owner.command("dismiss", next(one.id for one in alerts(log) if one.resource.rrn == "b"))
    log.add("resources", loud("c", 2, False))
    owner.evaluate()
    written = [value for topic, value in owner.sent if topic == "alerts"]
    store = Store.open(tmp_path / "again.duckdb", notes_work=True)
    for kind, records in log.records.items():
        store.apply([Part(kind, kind, PART, 0, len(records), records)])
    records = [(i, read(Alert, value)[0].id.encode(), value) for i, value in enumerate(written)]
    store.apply([Part("alerts", "alerts", PART, 0, len(records), records)])
    rebuilt = Owner(Log(store), owner.book, 2)
    rebuilt.evaluate()
    assert rebuilt.sent == []
    assert alerts(rebuilt.log) == alerts(log)
    store.close()


def test_an_alert_whose_resource_is_gone_for_good_resolves(log: Log, tmp_path: Path) -> None:
    owner = Owner(log, book(LOUD))
    log.add("resources", loud("a", 1))
    owner.evaluate()
    store = Store.open(tmp_path / "again.duckdb", notes_work=True)
    (value,) = (value for topic, value in owner.sent if topic == "alerts")
    store.apply([Part("alerts", "alerts", PART, 0, 1, [(0, read(Alert, value)[0].id.encode(), value)])])
    rebuilt = Owner(Log(store), owner.book, 2)
    rebuilt.evaluate()
    assert rebuilt.events() == [("resolved", 2, "loud")]
    store.close()


def test_the_audit_trail_tells_each_change_once(log: Log) -> None:
    owner = Owner(log, book())
    log.add("resources", loud("a", 1, keys=("i-1",)))
    log.add("findings", finding("f", 1, ("i-1",)))
    owner.evaluate()
    assert owner.trail() == [("configuration", "created"), ("finding", "opened")]
    log.add("resources", loud("a", 2, False, keys=("i-1",)))
    log.add("findings", finding("f", 2, ("i-1",), title="other words"))
    owner.evaluate()
    assert owner.trail() == [("configuration", "changed")]
    log.add("findings", finding("f", 3, ("i-1",), deleted=True))
    log.add("resources", loud("a", 3, False, keys=("i-1",), deleted=True))
    owner.evaluate()
    assert owner.trail() == [("configuration", "deleted"), ("finding", "closed")]


def test_fields_of_another_version_of_tidegate_outlive_an_evaluation(log: Log) -> None:
    owner = Owner(log, book(LOUD))
    log.add("resources", loud("a", 1))
    owner.evaluate()
    (value,) = (value for topic, value in owner.sent if topic == "alerts")
    newer = orjson.loads(value) | {"mood": "grim", "generation": 5}
    record = (0, newer["id"].encode(), orjson.dumps(newer))
    log.store.apply([Part("alerts", "alerts", PART, 0, 1, [record])])
    owner.generation = 6
    log.add("resources", loud("a", 2, False))
    owner.evaluate()
    last = orjson.loads([value for topic, value in owner.sent if topic == "alerts"][-1])
    assert (last["mood"], last["status"]) == ("grim", "resolved")


def test_an_owner_that_was_overtaken_changes_nothing_and_its_late_record_is_covered_again(log: Log) -> None:
    owner = Owner(log, book(LOUD), generation=2)
    log.add("resources", loud("a", 1))
    owner.evaluate()
    (value,) = (value for topic, value in owner.sent if topic == "alerts")
    key = read(Alert, value)[0].id.encode()
    late = orjson.dumps(orjson.loads(value) | {"generation": 1, "seq": 7, "status": "resolved"})
    log.store.apply([Part("alerts", "alerts", PART, 0, 2, [(0, key, value), (1, key, late)])])
    assert [one.status for one in alerts(log)] == ["open"]
    assert log.store.resends("alerts", PART, 10) == [(key, value)]


def test_a_late_record_in_one_batch_with_its_winner_is_covered_again_too(log: Log, tmp_path: Path) -> None:
    owner = Owner(log, book(LOUD), generation=2)
    log.add("resources", loud("a", 1))
    owner.evaluate()
    (value,) = (value for topic, value in owner.sent if topic == "alerts")
    key = read(Alert, value)[0].id.encode()
    late = orjson.dumps(orjson.loads(value) | {"generation": 1, "seq": 7, "status": "resolved"})
    store = Store.open(tmp_path / "again.duckdb", notes_work=True)
    store.apply([Part("alerts", "alerts", PART, 0, 2, [(0, key, value), (1, key, late)])])
    assert store.resends("alerts", PART, 10) == [(key, value)]
    store.close()


async def test_a_book_that_changes_during_an_admission_is_the_one_that_is_noted(tmp_path: Path) -> None:
    store = await StoreThread.open(tmp_path / "s.duckdb", notes_work=True)
    settings = Settings(data=tmp_path)
    evaluator = Evaluator(settings, store, BatchProducer(settings), book(HIT), lambda: {PART}, Counter())
    held = threading.Event()
    holding = asyncio.create_task(store.run(held.wait))
    turn = asyncio.create_task(evaluator.turn())
    await asyncio.sleep(0.05)  # it waits for the store
    after = book(HIT, LOUD)
    evaluator.reconsider(after)
    held.set()
    await asyncio.gather(holding, turn)
    await evaluator.turn()
    with store.cursor() as cursor:
        assert dict(cursor.execute("select policy, digest from evaluated").fetchall()) == after.digests
    await store.close()


def alerts(log: Log) -> list[Alert]:
    found = log.ask("select id from alerts")
    rows: Mapping[str, Alert] = {row.alert.id: row.alert for row in by_id(log.store.cursor(), [id for (id,) in found])}
    return [rows[id] for id in sorted(rows)]


def test_the_shipped_rule_covers_everything_and_tells_nobody() -> None:
    assert DEFAULT.enabled and not DEFAULT.channels
