"""Account groups as targets of alert rules: a rule that names groups covers the accounts that are in them now."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

from api.prisma.failures import Failure
from api.prisma.kept import FORM
from streams.control import Change, Control, Edit
from streams.control.plan import State
from streams.errors import TidegateError

log = logging.getLogger(__name__)

NOBODY = "no account is in these groups"
"""What stands among a rule's accounts where its groups are empty: no accounts would mean all of them."""


def accounts_of(control: Control, groups: Sequence[str]) -> list[str]:
    """Return the accounts in *groups*, NOBODY for none; nothing, which is all, for no groups. Raises Failure."""
    known = control.objects("account-group")
    for group in groups:
        if group not in known:
            raise Failure(400, "account_group_not_found", f"target.accountGroups: no account group {group!r:.100}")
    return _accounts(control.objects("cloud-account"), groups)


def follow(control: Control) -> Callable[[], None]:
    """Keep the rules as their groups are, from now on, in tasks of the running loop; return what ends that."""
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()

    def changed(changes: Sequence[Change]) -> None:
        if any(change.kind in ("cloud-account", "account-group") for change in changes):
            loop.call_soon_threadsafe(begin)

    def begin() -> None:
        task = loop.create_task(_renew(control))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    return control.on_change(changed)


async def _renew(control: Control) -> None:
    """Write the accounts of rules anew whose groups have changed; several processes may, and write the same."""
    if not list(_stale(control.state())):
        return
    try:
        await control.change(lambda state: list(_stale(state)), by="tidegate", origin="data")
    except TidegateError as error:
        log.warning("alert rules don't follow their account groups yet, and will at the next change: %s", error)


def _stale(state: State) -> Any:
    """Yield the edits of rules whose accounts aren't those of their groups."""
    accounts = {id: held.object for id, held in state["cloud-account"].items()}
    for id, held in state[FORM].items():
        kind, _, rule = id.partition(":")
        form: Any = held.object
        groups = (form.fields.get("target") or {}).get("accountGroups") if kind == "alert-rule" else None
        if groups and rule in state["alert-rule"]:
            wanted = _accounts(accounts, groups)
            made: Any = state["alert-rule"][rule].object
            if list(made.accounts) != wanted:
                yield Edit("alert-rule", rule, {"accounts": wanted}, merge=True)


def _accounts(accounts: Any, groups: Sequence[str]) -> list[str]:
    if not groups:
        return []
    found = sorted(id for id, account in accounts.items() if not set(groups).isdisjoint(account.groups))
    return found or [NOBODY]
