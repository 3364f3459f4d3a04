"""Azure's wrappers: pages of lists, tables, event batches; and Security Center's settings, a document of several."""

from collections.abc import Mapping
from typing import Any

from agents.normalise._azure_identity import arm_id
from agents.normalise._base import Items
from agents.normalise._fields import wrong_type
from agents.normalise._rows import text
from streams.errors import BadRecord

SETTINGS = "azure-security-center-settings"


def unwrapped(document: Mapping[str, Any]) -> Items:
    """Return the items of a message, or itself. Raises BadRecord when a wrapper holds what it can't hold."""
    if type(config := document.get("config")) is dict and type(config.get("value")) is list and "id" not in document:
        return _answered(document, config)
    for name in ("value", "data", "records"):
        if name not in document or "id" in document or "config" in document:
            continue
        inner = document[name]
        if name == "data" and type(inner) is dict and "rows" in inner:
            return _table(inner)
        if name == "data" and type(inner) is dict:
            break  # an Event Grid event
        if type(inner) is not list:
            raise wrong_type(name, "a list", inner)
        kind = _collection(document)
        return _together([(f"{name}[{index}]", _typed(item, kind)) for index, item in enumerate(inner)])
    return [("", document)]


def _answered(row: Mapping[str, Any], page: Mapping[str, Any]) -> Items:
    """Return a row for each resource of a page that came as the `config` of *row*, with what the row says."""
    said = {name: value for name, value in row.items() if name not in ("api_name", "resource_id", "config")}
    if kind := _collection(page):
        said["resource_type"] = f"microsoft.graph/{kind}"
    return [(f"config.value[{index}]", said | {"config": item}) for index, item in enumerate(page["value"])]


def _collection(page: Mapping[str, Any]) -> str:
    """Return what a page of Microsoft Graph lists, such as `users`; empty for any other page."""
    return text(page.get("@odata.context")).rpartition("$metadata#")[2].partition("(")[0].partition("/")[0]


def _typed(item: Any, kind: str) -> Any:
    """Return an item of Microsoft Graph with what its page says it is."""
    if not kind or type(item) is not dict or "@odata.type" in item or "type" in item:
        return item
    return item | {"@odata.type": f"#microsoft.graph.{kind}"}


def _table(table: Mapping[str, Any]) -> Items:
    """Return the rows of a Resource Graph answer in table form as objects."""
    columns, rows = table.get("columns"), table["rows"]
    if type(columns) is not list or not all(type(one) is dict and type(one.get("name")) is str for one in columns):
        raise BadRecord("data.columns", "wanted a list of objects with `name`")
    if type(rows) is not list:
        raise wrong_type("data.rows", "a list", rows)
    names = [one["name"] for one in columns]
    items = [
        (f"data.rows[{index}]", dict(zip(names, row, strict=False)) if type(row) is list else row)
        for index, row in enumerate(rows)
    ]
    return _together(items)


def _together(items: list[tuple[str, Any]]) -> Items:
    """Return *items*, each subscription's plans, contacts or settings of Security Center made one row of their own."""
    groups: dict[tuple[str, str], list[Any]] = {}
    others: list[tuple[str, Any]] = []
    for place, item in items:
        sent = text(item.get("id")) if type(item) is dict else ""
        kind = "microsoft.security" in sent.lower() and arm_id(sent)
        name = _LISTS.get(kind.type.lower()) if kind else None
        if kind and name and kind.subscription:
            groups.setdefault((kind.subscription, name), []).append(item)
        else:
            others.append((place, item))
    for (subscription, name), found in groups.items():
        row = {
            "account": subscription,
            "api_name": SETTINGS,
            "resource_id": f"/subscriptions/{subscription}/providers/microsoft.security/{name.lower()}",
            "config": {name: found},
        }
        others.append((f"{name} of {subscription}", row))
    return others


_LISTS = {
    "microsoft.security/autoprovisioningsettings": "autoProvisioningSettings",
    "microsoft.security/pricings": "pricings",
    "microsoft.security/securitycontacts": "securityContacts",
    "microsoft.security/settings": "settings",
}
