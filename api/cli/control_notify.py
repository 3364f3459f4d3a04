"""Rules and channels that are new, and the alerts that are open already: whether they hear of these."""

import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

import typer

from api.cli import output

if TYPE_CHECKING:
    from api.client import Client

Channels: TypeAlias = Mapping[str, frozenset[tuple[str, str]]]
"""Integration and template of each channel, by the rule's id."""


class Notify(StrEnum):
    """What channels that are new hear of."""

    now = "now"
    all = "all"


def channels(client: "Client", changes: Sequence[Mapping[str, Any]]) -> Channels:
    """Return the channels that the rules among *changes* have; a rule that isn't there has none."""
    wanted = {
        change["id"]
        for change in changes
        if change["kind"] == "alert-rule" and change["action"] in ("created", "changed")
    }
    if not wanted:
        return {}
    held = {each["id"]: each["object"] for each in client.get("/control/alert-rule")["objects"]}
    return {
        id: frozenset((one["integration"], one.get("template") or "") for one in held.get(id, {}).get("channels") or ())
        for id in sorted(wanted)
    }


def tell_new(client: "Client", before: Channels, after: Channels, wanted: Notify | None, *, asks: bool) -> None:
    """Tell the channels of *after* that *before* hasn't of what is open already, where that is *wanted*.

    None: ask where *asks* and a person is there, else from now on. Says how many alerts these are.
    """
    from api.client import Refused, safe

    for rule, those in after.items():
        fresh = sorted(those - before.get(rule, frozenset()))
        path = f"/alert-rules/{safe(rule)}/tell"
        counted = []
        for integration, template in fresh:
            channel = {"integration": integration, "template": template}
            try:
                count = client.post(path, {**channel, "dry_run": True})["open_alerts"]
            except Refused:  # who answers has no alerts: nobody is told of these, as nobody asked for it
                if wanted is Notify.all:
                    raise
                continue
            if count:
                counted.append((channel, count))
        for channel, count in counted:
            name = (
                f"{channel['integration']} ({channel['template']})" if channel["template"] else channel["integration"]
            )
            told = wanted is Notify.all
            if wanted is None and asks and sys.stdin.isatty():
                told = typer.confirm(f"{rule}: {count} alerts that it covers are open already: tell {name} of these?")
            if told:
                client.post(path, channel)
                output.note(f"{rule}: {count} open alerts are on their way to {name}")
            else:
                later = f"`tidegate rules tell {rule} {channel['integration']}` does that"
                output.note(f"{rule}: {name} hears from now on; {count} open alerts aren't told: {later}")
