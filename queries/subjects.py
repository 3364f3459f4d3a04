"""What a policy's query finds, without its documents, among what changed: some resources, or some accounts."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

import duckdb

from queries.check import check
from queries.compile import prepare_subjects
from queries.compile_clause import Within
from queries.fragment import Slot, Sql, filled
from queries.parse import parse
from queries.run import monitored_accounts


class Subject(NamedTuple):
    """What violates: a resource; or for a count an account, *rid* and *rrn* then being None, and so is *region* where
    the account is counted as a whole.
    """

    rid: int | None
    rrn: str | None
    account: str
    region: str | None


def subjects(
    connection: duckdb.DuckDBPyConnection,
    text: str,
    now: datetime,
    *,
    rids: Sequence[int] | None = None,
    accounts: Sequence[str] | None = None,
) -> list[Subject]:
    """Return all that the RQL *text* finds, in no order; joins stay within an account. *rids*: only these resources are
    looked at; *accounts*: only what these own.

    Raises RqlError, ValueError for rids of a query that doesn't judge each resource by itself.
    """
    statement = _prepared(text, rids is not None, accounts is not None)
    known: dict[Slot, Any] = {
        Slot.NOW: int(now.timestamp() * 1000),
        Slot.RIDS: list(rids or ()),
        Slot.ACCOUNTS: list(accounts or ()),
        Slot.MONITORED: monitored_accounts(connection) if Slot.MONITORED in statement.values else [],
    }
    return [Subject(*row) for row in connection.execute(statement.text, filled(statement, known)).fetchall()]


@lru_cache(maxsize=4096)
def _prepared(text: str, touched: bool, accounts: bool) -> Sql:
    checked = check(parse(text))
    if touched and not checked.single:
        raise ValueError("a join or a count isn't decided by single resources: give the accounts")
    return prepare_subjects(checked, Within(touched=touched, accounts=accounts))
