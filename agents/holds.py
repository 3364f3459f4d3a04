"""When what channels want to hear is sent: at once, after a delay, with a digest; and what is taken back before."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from agents.schedule import Digest
from streams.alerts import AlertEvent, AlertResource, AlertStatus, AlertStep, Delivery, RuleName

YOUNG_MS = 5 * 60_000
"""Up to this age a resource may still be set up."""
ABSENT = 5
"""How many times as long an alert about what an account hasn't is held: its first inventory may be under way."""
HOUR_MS = 3_600_000


class Wish(NamedTuple):
    """A channel of a rule that covers the alert. *hears*: of the status that it has now; *heard*: the statuses it asked
    for.
    """

    rule: str
    name: str
    integration: str
    template: str
    hears: bool
    heard: frozenset[AlertStatus]
    digest: Digest | None
    most_an_hour: int | None
    delay_ms: int
    settle_ms: int


class Pace:
    """How many messages each channel has had in this hour; in memory, so that a new owner begins anew."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], tuple[int, int]] = {}

    def full(self, channel: tuple[str, str], at: int, most: int) -> bool:
        """Count one more message at *at*, in ms since 1970 UTC, and return whether that is too many in its hour."""
        hour, count = self._counts.get(channel, (0, 0))
        count = count + 1 if hour == at // HOUR_MS else 1
        self._counts[channel] = (at // HOUR_MS, count)
        return count > most


PACE = Pace()
"""What this process has sent."""


@dataclass(slots=True)
class _Told:
    """What comes of the wishes of one integration and template."""

    names: list[RuleName]
    not_before: int = 0
    digest: str = ""
    withdraws: bool = True
    most: int | None = None

    def rank(self) -> tuple[bool, bool, int]:
        """The less, the sooner it is told: a message beats a withdrawal, one at once beats a digest."""
        return self.withdraws, bool(self.digest), self.not_before


def deliveries(wishes: Iterable[Wish], event: AlertEvent, pace: Pace) -> list[Delivery]:
    """Return the deliveries of *event*, one for each integration and template of *wishes*: the soonest of theirs."""
    told: dict[tuple[str, str], list[_Told]] = {}
    for wish in wishes:
        one = _said(wish, event)
        if one is not None:
            told.setdefault((wish.integration, wish.template), []).append(one)
    made = []
    for (integration, template), each in told.items():
        best = min(each, key=_Told.rank)
        names: Mapping[str, RuleName] = {
            name.id: name for one in each if one.withdraws == best.withdraws for name in one.names
        }
        caps = [one.most for one in each if one.most is not None]
        not_before, digest = best.not_before, best.digest
        if caps and not digest and not best.withdraws and pace.full((integration, template), event.at, min(caps)):
            digest = f"{integration} overflow"
            not_before = max(not_before, (event.at // HOUR_MS + 1) * HOUR_MS)
        made.append(
            Delivery(
                integration=integration,
                template=template,
                event=event,
                rules=list(names.values()),
                not_before=not_before,
                digest=digest,
                withdraws=best.withdraws,
            )
        )
    return made


def _said(wish: Wish, event: AlertEvent) -> _Told | None:
    """Return what one wish makes of *event*; None: nothing is told, and nothing is held that could be taken back."""
    alert = event.alert
    names = [RuleName(id=wish.rule, name=wish.name)]
    if not wish.hears:
        return _Told(names) if _may_be_held(wish, event) else None
    due = 0
    if alert.status == "open" and alert.history:
        due = alert.since + _hold(wish, alert.history[-1], alert.resource)
    told = _Told(names, due if due > event.at else 0, withdraws=False, most=wish.most_an_hour)
    if wish.digest is not None:
        told.digest = f"{wish.rule} {wish.digest.schedule}"
        told.not_before = wish.digest.after(max(due, event.at))
    return told


def _hold(wish: Wish, opened: AlertStep, resource: AlertResource) -> int:
    """Return how long an alert about *resource* is held, in ms from when it was *opened*."""
    settle = 0
    if opened.reason == "NEW_ALERT" and not resource.rrn:
        settle = ABSENT * wish.settle_ms
    elif opened.reason == "NEW_ALERT" and resource.created is not None and opened.at - resource.created < YOUNG_MS:
        settle = wish.settle_ms
    return max(wish.delay_ms, settle)


def _may_be_held(wish: Wish, event: AlertEvent) -> bool:
    """Return whether something of the status before may not have been sent yet."""
    before = event.alert.history[-2] if len(event.alert.history) > 1 else None
    if before is None or before.status not in wish.heard:
        return False
    if wish.digest is not None or wish.most_an_hour is not None:
        return True
    return before.status == "open" and event.at - before.at < _hold(wish, before, event.alert.resource)
