"""What Jira's answers say: lists in several forms, the fields that an issue needs, the transition to take."""

from typing import Any

from agents.sinks._outcome import Reply

ALWAYS_GIVEN = {"summary", "description", "project", "issuetype", "labels", "reporter"}
"""Fields that every issue of ours has, and the one that Jira fills."""


def inner(value: Any, *path: str) -> Any:
    """Return what stands in *value* at *path*; None: there is no such thing."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def listed(reply: Reply, name: str) -> list[dict[str, Any]]:
    """Return the objects that *reply* lists: Cloud calls them *name*, Data Center `values`."""
    found = reply.fields.get(name, reply.fields.get("values"))
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def wrong_fields(wanted: list[dict[str, Any]], given: dict[str, Any]) -> list[str]:
    """Return what is wrong with the fields that are *given*, by what the project says it *wanted*."""
    known = {str(each.get("fieldId", each.get("key"))): each for each in wanted}
    found = []
    for id, field in known.items():
        if field.get("required") and not field.get("hasDefaultValue") and id not in ALWAYS_GIVEN | given.keys():
            found.append(f"the project requires {field.get('name')!r}: give {id} in `fields`")
    for id, value in given.items():
        if id not in known:
            found.append(f"the issue type has no field {id}" + _near(id, known))
        elif (allowed := known[id].get("allowedValues")) and isinstance(value, dict) and not _allowed(value, allowed):
            names = ", ".join(str(each.get("name", each.get("value"))) for each in allowed[:20])
            found.append(f"{known[id].get('name')!r} ({id}) can't be {next(iter(value.values()), '')!r}, but: {names}")
    return found


def choose(transitions: list[dict[str, Any]], wanted: str, to_done: bool) -> dict[str, Any] | str:
    """Return the transition to take: the *wanted* one or to the *wanted* status, or the first that fits.

    In words why there is none.
    """
    names = ", ".join(str(each.get("name")) for each in transitions) or "none at all"
    if wanted:
        name = wanted.casefold()
        named = [each for each in transitions if str(each.get("name")).casefold() == name]
        named += [each for each in transitions if str(inner(each, "to", "name")).casefold() == name]
        return named[0] if named else f"The issue has no transition {wanted!r} now, but: {names}."
    fitting = [each for each in transitions if _ends(each, to_done) and not _asks(each)]
    if not to_done:
        fitting.sort(key=lambda each: inner(each, "to", "statusCategory", "key") != "new")
    what = "that is done" if to_done else "that isn't done"
    return fitting[0] if fitting else f"The issue has no transition to a status {what}, but: {names}."


def resolution(transition: dict[str, Any], wanted: str) -> str:
    """Return the resolution to give with *transition*; empty: it takes none, or needs none."""
    field = inner(transition, "fields", "resolution")
    if not isinstance(field, dict):
        return ""
    allowed = [str(each.get("name")) for each in field.get("allowedValues") or [] if isinstance(each, dict)]
    return wanted or (allowed[0] if field.get("required") and allowed else "")


def mover(issue: dict[str, Any]) -> dict[str, Any] | None:
    """Return who changed the *issue*'s status last, by the changelog that was asked for; None: it doesn't tell."""
    histories = inner(issue, "changelog", "histories")
    moves = [
        each
        for each in (histories if isinstance(histories, list) else [])
        if isinstance(each, dict)
        and any(isinstance(item, dict) and item.get("field") == "status" for item in each.get("items") or [])
    ]
    last = max(moves, key=lambda each: str(each.get("created")), default=None)
    author = last.get("author") if last else None
    return author if isinstance(author, dict) else None


def unformatted(text: str) -> str:
    """Return *text* as Jira's wiki markup that shows it as it is."""
    return "{noformat}" + text.replace("{noformat}", "{no format}") + "{noformat}"


def _ends(transition: dict[str, Any], to_done: bool) -> bool:
    return (inner(transition, "to", "statusCategory", "key") == "done") is to_done


def _asks(transition: dict[str, Any]) -> bool:
    """Whether the transition wants a field that we can't give."""
    fields = transition.get("fields")
    return isinstance(fields, dict) and any(
        isinstance(each, dict) and each.get("required") and not each.get("hasDefaultValue") and id != "resolution"
        for id, each in fields.items()
    )


def _allowed(value: dict[str, Any], allowed: list[dict[str, Any]]) -> bool:
    return any(each.get(key) == inside for each in allowed for key, inside in value.items())


def _near(id: str, known: dict[str, dict[str, Any]]) -> str:
    same = [other for other, field in known.items() if str(field.get("name")).casefold() == id.casefold()]
    return f"; did you mean {same[0]}?" if same else ""
