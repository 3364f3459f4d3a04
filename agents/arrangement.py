"""What is evaluated and who hears of it: the operator's file and the control plane's objects together."""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain

from agents.alerting import Alerting
from agents.book import Book
from agents.inbound import InboundIntegration
from agents.integrations import Integration
from agents.places import places_of
from agents.rules import DEFAULT, AlertRule
from streams.control import Change, Control
from streams.control.saved import NotificationTemplate


class Arrangement:
    """Both, as they are at the moment. *file*: what the operator's file says, None where there is none."""

    def __init__(self, control: Control, file: Alerting | None) -> None:
        self._control = control
        self._file = file or Alerting(rules=())

        self._gone: dict[str, AlertRule] = {}
        """Rules that were deleted while this process ran, by id."""

    def book(self) -> Book:
        """Return the policies and rules. Where the operator's file has rules, the shipped one is not among them."""
        rules = list(self._control.objects("alert-rule").values())
        if self._file.rules:
            rules = [rule for rule in rules if rule != DEFAULT]
        gone = [rule for id, rule in self._gone.items() if id not in self._control.objects("alert-rule")]
        places = places_of(self._control, self.integrations())
        return Book(self._control.objects("policy"), chain(self._file.rules, rules), places, gone)

    def integrations(self) -> Mapping[str, Integration]:
        """Return the integrations by id; one of the control plane replaces one of its id in the file."""
        return {**self._file.integrations, **self._control.objects("integration")}

    def inbound(self) -> Mapping[str, InboundIntegration]:
        """Return the vendors that are asked for findings by id; one of the control plane replaces one of the file."""
        return {**self._file.inbound, **self._control.objects("inbound-integration")}

    def is_inbound(self, id: str) -> bool:
        """Tell whether there is such a one, usable or not: what can't be opened now isn't gone."""
        return id in self.inbound() or ("inbound-integration", id) in self._control.problems

    def templates(self) -> Mapping[str, NotificationTemplate]:
        """Return the notification templates by id."""
        return self._control.objects("notification-template")

    def follow(self, reconsider: Callable[[Book], None]) -> None:
        """Call *reconsider* with the new book whenever policies or rules change, or what rules name."""
        before = self.book().rules

        def changed(changes: Sequence[Change]) -> None:
            nonlocal before
            for change in changes:
                if change.kind == "alert-rule" and change.after is None:
                    self._gone[change.id] = change.before
            kinds = {change.kind for change in changes}
            if not kinds & _NAMED and kinds.isdisjoint(("policy", "alert-rule")):
                return
            book = self.book()
            if kinds & {"policy", "alert-rule"} or book.rules != before:
                before = book.rules
                reconsider(book)

        self._control.on_change(changed)


_NAMED = {"account-group", "cloud-account", "resource-list", "integration"}
"""What rules name: most changes of these leave every rule as it is."""
