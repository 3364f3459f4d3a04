"""Scanners' hosts of which only the account, a name and addresses are known, and the machines that may be them."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import duckdb
import orjson

HELD = "held:"
"""What the id of a record begins with that says which machine an asset is: agents.hosts writes it."""

MACHINES = (
    "aws-ec2-describe-instances",
    "azure-vm-list",
    "azure-network-nic-list",
    "gcloud-compute-instances-list",
    "alibaba-cloud-ecs-instance",
)
"""What has host names and private addresses; Azure's machines have theirs in their interfaces."""


class Asked(NamedTuple):
    """The assets whose machine is asked for, and what has been said of any; both as they lie on the topic."""

    assets: Sequence[dict[str, Any]]
    held: Sequence[dict[str, Any]]


class Row(NamedTuple):
    """A machine or an interface; *created*: in ms since 1970 UTC."""

    account: str
    api_name: str
    id: str
    name: str
    created: int | None
    config: dict[str, Any]


def asked(db: duckdb.DuckDBPyConnection) -> Asked:
    """Return the assets that have an account and no identifier of their cloud's, and what was said of such."""
    found = db.execute(
        """select record from vendor_assets where starts_with(id, $1)
            or (record->>'$.account' <> 'unlinked' and coalesce(record->>'$.deleted', 'false') = 'false'
                and coalesce(json_array_length(record->'$.references'), 0) = 0)""",
        [HELD],
    ).fetchall()
    records = [orjson.loads(record) for (record,) in found]
    return Asked(
        [each for each in records if not each["id"].startswith(HELD)],
        [each for each in records if each["id"].startswith(HELD)],
    )


def machines(db: duckdb.DuckDBPyConnection, accounts: Collection[str]) -> list[Row]:
    """Return the live machines and interfaces of *accounts*."""
    found = db.execute(
        """select account, api_name, id, name, epoch_ms(created), json from resources
        where not deleted and json is not null and api_name in (select unnest($1::VARCHAR[]))
            and account in (select unnest($2::VARCHAR[]))""",
        [list(MACHINES), list(accounts)],
    ).fetchall()
    return [
        Row(account, api_name, id, name, created, orjson.loads(json))
        for account, api_name, id, name, created, json in found
    ]
