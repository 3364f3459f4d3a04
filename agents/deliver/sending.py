"""One call of a sink: by the channel's template, or several alerts as a digest; and what if the sink has a defect."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from agents.sinks._base import Item, Sink
from agents.sinks._client import Client
from agents.sinks._outcome import Ok, Outcome, Retry
from agents.templates import prepared
from streams.control.saved import NotificationTemplate

log = logging.getLogger(__name__)

Templates: TypeAlias = Mapping[str, NotificationTemplate]
"""Notification templates by id."""


@dataclass(frozen=True, slots=True)
class Sending:
    """What every call needs."""

    client: Client
    templates: Callable[[], Templates]
    counts: Counter[str]

    async def deliver(self, sink: Sink, items: Sequence[Item], *, digest: bool) -> Sequence[Outcome]:
        """Let the sink deliver *items*, by one template. *digest*: as one message, where they are several.

        An error of the sink's own is a defect: told, counted, and the deliveries are kept.
        """
        try:
            if digest and len(items) > 1:
                self.counts["digests"] += 1
                outcomes = await sink.digest(items, self.client)
            elif items[0].delivery.template and sink.takes_templates:
                outcomes = [await self._templated(sink, item) for item in items]
            else:
                outcomes = await sink.deliver(items, self.client)
            if len(outcomes) != len(items):
                raise ValueError(f"{len(outcomes)} outcomes for {len(items)} deliveries")
        except Exception as error:
            log.exception("the destination %s has a defect", sink.name)
            self.counts["defects"] += 1
            return [Retry(f"a defect of Tidegate's destination {sink.name}: {type(error).__name__}")] * len(items)
        return outcomes

    async def _templated(self, sink: Sink, item: Item) -> Outcome:
        """Deliver *item* by its template: where that can't be used, in the destination's own form, and say so."""
        id = item.delivery.template
        template = self.templates().get(id)
        used, said = prepared(sink, template, item.delivery)
        if template is None:
            said = f"the template {id} isn't there any more: sent in the destination's own form"
        (outcome,) = await used.deliver([item], self.client)
        if not said or not isinstance(outcome, Ok):
            return outcome
        words = f"{outcome.words}; {said}" if outcome.words else said
        return replace(outcome, words=words, warning=f"{outcome.warning}; {said}" if outcome.warning else said)
