"""What is evaluated and who hears of it: the operator's file and the control plane's objects together."""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain

from agents.alerting import Alerting
from agents.book import Book
from agents.integrations import Integration
from agents.rules import DEFAULT
from streams.control import Change, Control


class Arrangement:
    """Both, as they are at the moment. *file*: what the operator's file says, None where there is none."""

    def __init__(self, control: Control, file: Alerting | None) -> None:
        self._control = control
        self._file = file or Alerting(rules=())

    def book(self) -> Book:
        """Return the policies and rules. Where the operator's file has rules, the shipped one is not among them."""
        rules = list(self._control.objects("alert-rule").values())
        if self._file.rules:
            rules = [rule for rule in rules if rule != DEFAULT]
        return Book(self._control.objects("policy"), chain(self._file.rules, rules))

    def integrations(self) -> Mapping[str, Integration]:
        """Return the integrations by id; one of the control plane replaces one of its id in the file."""
        return {**self._file.integrations, **self._control.objects("integration")}

    def follow(self, reconsider: Callable[[Book], None]) -> None:
        """Call *reconsider* with the new book whenever policies or rules change."""

        def changed(changes: Sequence[Change]) -> None:
            if any(change.kind in ("policy", "alert-rule") for change in changes):
                reconsider(self.book())

        self._control.on_change(changed)
