"""Notification templates of tickets: their fields, as Prisma Cloud names them, as settings of the destination."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streams.control.saved import NotificationTemplate, TemplateField


def jira_settings(template: "NotificationTemplate", given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that *template* gives instead of *given*. Raises ValueError for a field that has no place."""
    made: dict[str, Any] = {"fields": dict(given.get("fields", {}))}
    for field in _filled_in("open", (*template.basic, *template.open)):
        if field.field in _JIRA:
            made[_JIRA[field.field]] = field.value
        elif field.field == "labels":
            made["labels"] = _listed(field.value)
        else:
            made["fields"][field.field] = _value_in_jira(field)
    for field in _filled_in("resolved", template.resolved):
        made[_place("resolved", field, {"state": "resolve_transition", "resolution": "resolution"})] = field.value
    for state, fields in (("dismissed", template.dismissed), ("snoozed", template.snoozed)):
        for field in _filled_in(state, fields):
            _place(state, field, {})
    return made


def servicenow_settings(template: "NotificationTemplate", given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that *template* gives instead of *given*. Raises ValueError for a field that has no place."""
    made: dict[str, Any] = {"fields": dict(given.get("fields", {}))}
    made["resolved_fields"] = dict(given.get("resolved_fields", {}))
    for field in _filled_in("open", (*template.basic, *template.open)):
        if field.field in _SERVICENOW:
            made[_SERVICENOW[field.field]] = field.value
        else:
            made["fields"][field.field] = field.value
    for field in _filled_in("resolved", template.resolved):
        if field.field in _RESOLVED:
            made[_RESOLVED[field.field]] = field.value
        else:
            made["resolved_fields"][field.field] = field.value
    for state, fields in (("dismissed", template.dismissed), ("snoozed", template.snoozed)):
        for field in _filled_in(state, fields):
            _place(state, field, {})
    return made


def _filled_in(state: str, fields: Iterable["TemplateField"]) -> Iterator["TemplateField"]:
    """Yield the fields that have a value."""
    for field in fields:
        if field.value:
            yield field
        elif field.required:
            raise ValueError(f"{state}: the required field {field.label or field.field} has no value")


def _place(state: str, field: "TemplateField", places: Mapping[str, str]) -> str:
    if field.field not in places:
        can = f"; {' and '.join(places)} can" if places else ""
        raise ValueError(f"{state}: the field {field.field} can't be set then{can}")
    return places[field.field]


def _value_in_jira(field: "TemplateField") -> Any:
    """Return the field's value in the form that Jira's API takes for its type."""
    match field.type:
        case "bool":
            return field.value.casefold() in ("true", "yes", "1")
        case "integer":
            try:
                return int(field.value)
            except ValueError:
                raise ValueError(f"the field {field.field} wants a number, not {field.value!r:.50}") from None
        case "list":
            return _chosen(field, field.value)
        case "array":
            several = _listed(field.value)
            return [_chosen(field, each) for each in several] if field.options else several
        case _:
            return field.value


def _chosen(field: "TemplateField", value: str) -> dict[str, str]:
    """Return the option that *value* names: by its id, where the template knows that."""
    for option in field.options:
        if value in (option.id, option.key, option.name) and option.id:
            return {"id": option.id}
    return {"value" if field.field.startswith("customfield_") else "name": value}


def _listed(value: str) -> list[str]:
    return [each.strip() for each in value.split(",") if each.strip()]


_JIRA = {
    "project": "project",
    "issueType": "issue_type",
    "summary": "summary",
    "description": "description",
    "state": "reopen_transition",
}
_SERVICENOW = {
    "incidentType": "table",
    "createIncidentOnAlertReOpen": "create_on_reopen",
    "short_description": "short_description",
    "state": "open_state",
}
_RESOLVED = {"state": "resolved_state", "close_code": "close_code"}
