"""Full inventories: a list of all that there is of a kind, so that what isn't in it is gone."""

from collections.abc import Callable, Mapping
from typing import Any

from agents.normalise._fields import MAX_ID, account_of, optional_word, time_ms, wrong_type
from streams.errors import BadRecord
from streams.identity import Place, version
from streams.records import Inventory, Record, Resource

MOST = 200_000
"""Ids of one inventory."""

SOURCES = {"guardduty": "AWS GuardDuty", "inspector": "AWS Inspector", "qualys": "Qualys", "tenable": "Tenable"}
"""What findings of a source call it, where it is always the same."""

Read = Callable[[Mapping[str, Any], Place, int], Record]


def inventory(name: str, item: Mapping[str, Any], place: Place, index: int, read: Read) -> Inventory:
    """Return the inventory of the source *name* that *item* is; *read* reads what it lists, where that is whole rows.

    Raises BadRecord: an inventory that can't be read whole would end what is there.
    """
    told = item["inventory"]
    if type(told) is not dict:
        raise wrong_type("inventory", "an object", told)
    time = place.timestamp if item.get("time") is None else time_ms(item["time"], "time")
    configs = name in _CLOUDS
    if "rows" in item:
        account, api_name, ids = _of_rows(told, item["rows"], place, read)
    else:
        account, api_name = optional_word(told, "account"), optional_word(told, "api_name")
        ids = _listed(item)
    source = name if configs else optional_word(told, "source") or SOURCES.get(name, "")
    if not source:
        raise BadRecord("inventory.source", "missing: what the findings call their source")
    if configs and not api_name:
        raise BadRecord("inventory.api_name", "missing: an inventory is of one api.name")
    if configs or account:
        account = account_of(name if configs else "", account, "inventory.account")
    region = optional_word(told, "region")
    return Inventory(
        source=source,
        id="|".join(("configs" if configs else "findings", account, api_name, region)),
        kind="configs" if configs else "findings",
        account=account,
        api_name=api_name,
        region=region,
        ids=ids,
        version=version(time, 0, place, index),
    )


def _listed(item: Mapping[str, Any]) -> list[str]:
    ids = item.get("ids")
    if type(ids) is not list:
        raise wrong_type("ids", "a list", ids) if "ids" in item else BadRecord("ids", "missing")
    if len(ids) > MOST:
        raise BadRecord("ids", f"has {len(ids)} ids, the most is {MOST}: send an inventory a region")
    for place, id in enumerate(ids):
        if type(id) is not str or not 0 < len(id) <= MAX_ID:
            raise BadRecord(f"ids[{place}]", f"wanted an id, got {id!r:.80}")
    return list(dict.fromkeys(ids))


def _of_rows(told: Mapping[str, Any], rows: Any, place: Place, read: Read) -> tuple[str, str, list[str]]:
    """Return account, api.name and ids of *rows*; what *told* says of account and api.name counts where there is no
    row.
    """
    if type(rows) is not list:
        raise wrong_type("rows", "a list", rows)
    records = [read(row, place, 0) for row in rows if type(row) is dict]
    found = [one for one in records if isinstance(one, Resource)]
    if len(found) < len(rows):
        raise BadRecord("rows", "wanted resources")
    owners = {(one.account, one.api_name) for one in found}
    if len(owners) > 1:
        raise BadRecord("rows", "of several accounts: send each account's answer with its own `complete`")
    account, api_name = owners.pop() if owners else (optional_word(told, "account"), optional_word(told, "api_name"))
    return account, api_name, [one.id for one in found]


_CLOUDS = ("aws", "azure", "gcp", "alibaba")
