"""Resources as items of a search: all that the product tells of one."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from api.prisma.words import asset_id, cloud_out, milliseconds
from streams.control import Control

_MORE = "cloud, service, resource_type, tags, created, seen, deleted"
_SAID = 'account, region, api_name as "api.name", id, name'
"""What a search says of each row."""
_PLACES = """
    select r.rowid, w.rrn from (select unnest(?::VARCHAR[]) as rrn) w
        join resources r on r.rid = md5_number_lower(w.rrn)"""
_NOTHING: Mapping[str, Mapping[str, Any]] = {}


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


def items(
    cursor: Any,
    rrns: Sequence[str],
    names: Names,
    *,
    documents: bool,
    known: Mapping[str, Mapping[str, Any]] = _NOTHING,
) -> dict[str, dict[str, Any]]:
    """Return the resources *rrns* that are there, by rrn; with their configuration where *documents*.

    *known*: what a search said of all of them, by rrn. Columns are read by the rows' places: by a hash the store would
    unpack all of them, and what is known needn't be unpacked again. Asks in a transaction of its own, as a place is
    good for no longer.
    """
    if not rrns:
        return {}
    columns = _MORE if known else f"{_MORE}, {_SAID}"
    document = "json" if documents else "json->>'$.vpcId'"
    wanted = "rid in (select md5_number_lower(unnest(?::VARCHAR[])))"
    cursor.execute("begin")
    try:
        places = dict(cursor.execute(_PLACES, [list(rrns)]).fetchall())
        rows = cursor.execute(
            f"select rowid, {document} as document, {columns} from resources"  # noqa: S608 # names of ours
            " where rowid in (select unnest(?::BIGINT[]))",
            [list(places)],
        ).fetchall()
        fields = [each[0] for each in cursor.description]
        alerted = _rrns(cursor, f"select distinct rid from alerts where status = 'open' and {wanted}", rrns)  # noqa: S608
        found = _rrns(cursor, f"select distinct rid from finding_resource where {wanted}", rrns)  # noqa: S608
    finally:
        cursor.execute("rollback")  # nothing was written
    made: dict[str, dict[str, Any]] = {}
    for row in rows:
        rrn = places[row[0]]
        said = {**known.get(rrn, {}), **dict(zip(fields, row, strict=True))}
        made[rrn] = _item(rrn, said, names, rrn in alerted, rrn in found, documents=documents)
    return made


def config_of(cursor: Any, rrn: str) -> Any:
    """Return the configuration of one resource, None where there is none."""
    row = cursor.execute("select json from resources where rid = md5_number_lower(?)", [rrn]).fetchone()
    return None if row is None or row[0] is None else orjson.loads(row[0])


def _rrns(cursor: Any, statement: str, rrns: Sequence[str]) -> set[str]:
    """Return those of *rrns* whose number *statement* selects."""
    rows = cursor.execute(
        f"select rrn from (select unnest(?::VARCHAR[]) as rrn) where md5_number_lower(rrn) in ({statement})",  # noqa: S608 # names of ours
        [list(rrns), list(rrns)],
    ).fetchall()
    return {rrn for (rrn,) in rows}


def _item(
    rrn: str, said: Mapping[str, Any], names: Names, alerted: bool, found: bool, *, documents: bool
) -> dict[str, Any]:
    document, account, api_name = said["document"], said["account"], said["api.name"]
    if documents and document is not None:
        document = orjson.loads(document)
    vpc = (document.get("vpcId") if isinstance(document, dict) else None) if documents else document
    item: dict[str, Any] = {
        "rrn": rrn,
        "stateId": asset_id(f"{rrn}|{said['seen']}"),
        "assetId": asset_id(rrn),
        "id": said["id"],
        "name": said["name"] or said["id"],
        "url": "",
        "accountId": account,
        "accountName": names.account(account),
        "accountGroupName": ", ".join(names.groups(account)),
        "cloudType": cloud_out(said["cloud"]),
        "regionId": said["region"],
        "regionName": said["region"],
        "service": said["service"],
        "resourceType": said["resource_type"] or api_name,
        "apiName": api_name,
        "insertTs": milliseconds(said["seen"]),
        "createdTs": milliseconds(said["created"]),
        "deleted": bool(said["deleted"]),
        "vpcId": vpc if isinstance(vpc, str) else "",
        "vpcName": "",
        "tags": orjson.loads(said["tags"]) if said["tags"] else {},
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
