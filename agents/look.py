"""What an evaluation looks at: who violates which policy among what was touched, and the alerts of it."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import NamedTuple

import duckdb
import orjson

from agents.alerts import Violation
from agents.book import Book
from queries.policy import violators
from queries.subjects import Subject
from queries.violating import asks_accounts, violating
from streams.alerts import AlertResource
from streams.store import alerts, world
from streams.store.alerts import Row
from streams.store.places import Finder
from streams.store.work import BY_TIME
from streams.store.world import Seen, World


class Look(NamedTuple):
    """*found*: every violation there is, with its partition. *there*: every alert that may rest on one of these.
    *alive*: the rrns of the resources that were looked at and aren't deleted. *asked*: policies that have changed.
    """

    found: list[tuple[int, Violation]]
    there: list[Row]
    alive: AbstractSet[str]
    asked: AbstractSet[str]


def look_at_resources(
    db: duckdb.DuckDBPyConnection,
    book: Book,
    touched: World,
    there: Sequence[Row],
    asked: AbstractSet[str],
    now: datetime,
) -> Look:
    """Look at the resources of the world *touched* by the policies that judge each by itself. *there*: the alerts about
    what was touched.
    """
    seen = touched.seen
    api_names = {one.api_name for one in seen if not one.deleted}
    conditions = {
        id: policy.condition
        for id, policy in book.policies.items()
        if policy.condition and policy.concerns(api_names) and (touched.findings or not policy.touches.needs_findings)
    }
    known = world.accounts(db) if any(map(asks_accounts, conditions.values())) else []
    met: dict[str, list[Subject]] = {
        id: [Subject(rid, None, "", None) for rid in rids] for id, rids in violating(db, conditions, now, known).items()
    }
    found = _violations(db, book, met, touched, {})
    mine = [row for row in there if row.alert.policy.id not in book.wide]
    return Look(found, mine, {one.rrn for one in seen if not one.deleted}, asked)


def look_at_accounts(
    db: duckdb.DuckDBPyConnection,
    book: Book,
    seen: Sequence[Seen],
    there: Sequence[Row],
    asked: AbstractSet[str],
    now: datetime,
    finder: Finder,
) -> Look:
    """Look at all that the accounts of *seen* and of the alerts *there* have, by joins and counts. Makes another world.

    Alerts about accounts of policies that are gone are looked at as well.
    """
    api_names = {one.api_name for one in seen}
    touched = {row.alert.policy.id for row in there} | {id.removeprefix(BY_TIME) for id in asked}
    wide = {id: book.policies[id] for id in book.wide}
    wide = {id: policy for id, policy in wide.items() if policy.concerns(api_names) or id in touched}
    gone = asked - book.policies.keys()
    accounts = sorted({one.account for one in seen} | {row.alert.resource.account for row in there})
    orphans = [row for row in alerts.of_accounts(db, gone, accounts) if not row.alert.resource.rrn] if gone else []
    if not wide:
        return Look([], orphans, frozenset(), asked)
    names = [policy.touches.api_names for policy in wide.values()]
    every = None if None in names else sorted({name for each in names for name in each or ()})
    whole = world.gather_accounts(db, accounts, every, finder)
    owners = {one.account: one for one in whole.seen}
    met = {id: subjects for id, one in wide.items() if (subjects := violators(db, one.policy, now))}
    found = _violations(db, book, met, whole, owners)
    alive = {one.rrn for one in whole.seen if not one.deleted}
    return Look(found, [*alerts.of_accounts(db, wide, accounts), *orphans], alive, asked)


def _violations(
    db: duckdb.DuckDBPyConnection,
    book: Book,
    met: Mapping[str, Sequence[Subject]],
    world_: World,
    owners: Mapping[str, Seen],
) -> list[tuple[int, Violation]]:
    """Return what was *met* in the *world_*, by policy, as violations; *owners*: a resource of each account."""
    if not met:
        return []
    seen = {one.rid: one for one in world_.seen}
    rids = {subject.rid for subjects in met.values() for subject in subjects if subject.rid is not None}
    configs = world.configs(db, [seen[rid] for rid in rids])
    resources = {rid: _resource(seen[rid]) for rid in rids}
    found = []
    for id, subjects in met.items():
        policy = book.policies[id]
        findings = policy.findings.find(db) if world_.findings else {}
        for subject in subjects:
            if subject.rid is None:
                owner = owners[subject.account]
                violation = Violation(policy=policy.told, resource=_account(subject, owner))
                found.append((owner.part, violation))
                continue
            violation = Violation(
                policy=policy.told,
                resource=resources[subject.rid],
                findings=tuple(findings.get(subject.rid, ())),
                config=configs[subject.rid],
            )
            found.append((seen[subject.rid].part, violation))
    return found


def _resource(seen: Seen) -> AlertResource:
    return AlertResource(
        rrn=seen.rrn,
        id=seen.id,
        name=seen.name,
        account=seen.account,
        cloud=seen.cloud,  # type: ignore[arg-type] # the store takes no other
        region=seen.region,
        api_name=seen.api_name,
        service=seen.service,
        resource_type=seen.resource_type,
        tags=_tags(orjson.loads(seen.tags or "{}").items()),
        created=seen.created,
    )


def _account(subject: Subject, owner: Seen) -> AlertResource:
    """What a count is about: an account, or a region of it."""
    return AlertResource(
        id=subject.account,
        name=subject.account,
        account=subject.account,
        cloud=owner.cloud,  # type: ignore[arg-type] # the store takes no other
        region=subject.region or "",
    )


def _tags(given: Iterable[tuple[str, object]]) -> dict[str, str]:
    return {key: value if isinstance(value, str) else orjson.dumps(value).decode() for key, value in given}
