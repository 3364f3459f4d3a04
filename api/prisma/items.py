"""Resources as items of a search: all that the product tells of one."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from api.prisma.words import asset_id, cloud_out, milliseconds
from streams.control import Control

_COLUMNS = "rid, rrn, account, cloud, region, service, api_name, resource_type, id, name, tags, created, seen, deleted"


class Names:
    """What people call accounts and their groups."""

    def __init__(self, control: Control | None) -> None:
        self._accounts: Mapping[str, Any] = control.objects("cloud-account") if control else {}
        self._groups: Mapping[str, Any] = control.objects("account-group") if control else {}

    def account(self, id: str) -> str:
        """Return the name of an account; its id where nobody has named it."""
        return str(self._accounts[id].name) if id in self._accounts else id

    def groups(self, id: str) -> list[str]:
        """Return the names of the groups that an account is in."""
        ids = self._accounts[id].groups if id in self._accounts else ()
        return [str(self._groups[each].name) for each in ids if each in self._groups]

    def owners(self, id: str) -> list[str]:
        """Return who is asked about an account."""
        return list(self._accounts[id].owners) if id in self._accounts else []


def items(cursor: Any, rrns: Sequence[str], names: Names, *, documents: bool) -> dict[str, dict[str, Any]]:
    """Return the resources *rrns* that are there, by rrn; with their configuration where *documents*.

    Wide columns are read by the rows' places: by a hash the store would unpack them all. Asks in a transaction of its
    own, as a place is good for no longer.
    """
    if not rrns:
        return {}
    more = ", json" if documents else ", json->>'$.vpcId'"
    wanted = "rid in (select md5_number_lower(unnest(?::VARCHAR[])))"
    cursor.execute("begin")
    try:
        places = cursor.execute(f"select rowid from resources where {wanted}", [list(rrns)]).fetchall()  # noqa: S608 # names of ours
        rows = cursor.execute(
            f"select {_COLUMNS}{more} from resources where rowid in (select unnest(?::BIGINT[]))",  # noqa: S608
            [[place for (place,) in places]],
        ).fetchall()
        alerted = _rids(cursor, f"select distinct rid from alerts where status = 'open' and {wanted}", rrns)  # noqa: S608
        found = _rids(cursor, f"select distinct rid from finding_resource where {wanted}", rrns)  # noqa: S608
    finally:
        cursor.execute("rollback")  # nothing was written
    return {row[1]: _item(row, names, row[0] in alerted, row[0] in found, documents=documents) for row in rows}


def config_of(cursor: Any, rrn: str) -> Any:
    """Return the configuration of one resource, None where there is none."""
    row = cursor.execute("select json from resources where rid = md5_number_lower(?)", [rrn]).fetchone()
    return None if row is None or row[0] is None else orjson.loads(row[0])


def _rids(cursor: Any, statement: str, rrns: Sequence[str]) -> set[int]:
    return {rid for (rid,) in cursor.execute(statement, [list(rrns)]).fetchall()}


def _item(row: tuple[Any, ...], names: Names, alerted: bool, found: bool, *, documents: bool) -> dict[str, Any]:
    _, rrn, account, cloud, region, service, api_name, kind, id, name, tags, created, seen, deleted, more = row
    document = orjson.loads(more) if documents and more is not None else None
    vpc = (document.get("vpcId") if isinstance(document, dict) else None) if documents else more
    item: dict[str, Any] = {
        "rrn": rrn,
        "stateId": asset_id(f"{rrn}|{seen}"),
        "assetId": asset_id(rrn),
        "id": id,
        "name": name or id,
        "url": "",
        "accountId": account,
        "accountName": names.account(account),
        "accountGroupName": ", ".join(names.groups(account)),
        "cloudType": cloud_out(cloud),
        "regionId": region,
        "regionName": region,
        "service": service,
        "resourceType": kind or api_name,
        "apiName": api_name,
        "insertTs": milliseconds(seen),
        "createdTs": milliseconds(created),
        "deleted": bool(deleted),
        "vpcId": vpc if isinstance(vpc, str) else "",
        "vpcName": "",
        "tags": orjson.loads(tags) if tags else {},
        "riskGrade": "",
        "dynamicData": {},
        "hasNetwork": False,
        "hasAlert": alerted,
        "hasExternalFinding": found,
        "hasExternalIntegration": False,
        "allowDrillDown": True,
        "hasExtFindingRiskFactors": False,
        "resourceConfigJsonAvailable": True,
        "resourceDetailsAvailable": True,
    }
    if documents:
        item["data"] = document
    return item
