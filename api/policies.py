"""Policies as the API and the command line give them: described, found by id, and who violates them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import duckdb

from api import answers, snapshots
from queries import policy
from queries.errors import nearest
from queries.policy import Policy
from streams.errors import TidegateError
from streams.snapshot import Snapshot


class NoSuchPolicy(TidegateError):
    """There is no policy of that id."""


def find(policies: Mapping[str, Policy], id: str) -> Policy:
    """Return the policy *id*. Raises NoSuchPolicy, with the one that was probably meant."""
    if id in policies:
        return policies[id]
    hint = nearest(id, policies) or "`tidegate policies list` shows all"
    raise NoSuchPolicy(f"there is no policy {id!r:.120}; {hint}")


def describe(policies: Mapping[str, Policy]) -> list[dict[str, Any]]:
    """Return all that the files say, ready for JSON, the worst severity first."""
    return [each.model_dump(mode="json") for each in policy.by_severity(policies)]


def violations(connection: Any, asked: Policy, now: datetime, *, limit: int) -> dict[str, Any]:
    """Return who violates *asked*, and which policy it is."""
    found = policy.violations(connection, asked, now, limit)
    return {"policy": asked.id, "name": asked.name, "severity": asked.severity, **answers.rows(found)}


def ask(asked: list[Policy], each: Snapshot, now: datetime, *, limit: int) -> list[dict[str, Any]]:
    """Return who violates each of *asked* in a snapshot, as the API gives it."""
    with duckdb.connect(str(each.database), read_only=True) as connection:
        return [violations(connection, one, now, limit=limit) | snapshots.source(each, now) for one in asked]
