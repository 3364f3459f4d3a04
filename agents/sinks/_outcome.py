"""What came of a delivery, as a value: each asks the engine for one thing to do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, Literal, TypeAlias

import orjson

Scope: TypeAlias = Literal["integration", "template"]
"""What is paused: the whole integration, or only what was sent by one template, to one project or table."""

LONGEST_WAIT = 24 * 3600.0
"""The longest Retry-After that is believed, in seconds."""


@dataclass(frozen=True, slots=True)
class Ok:
    """The destination has it: close the delivery. *entry*: what the ledger is to hold of the alert from now on."""

    words: str = ""
    entry: Mapping[str, Any] | None = None
    warning: str = ""
    """What the operator should set right, though it was delivered."""


@dataclass(frozen=True, slots=True)
class Retry:
    """It may take the same later: keep the delivery. *after*: seconds that the destination asked for."""

    words: str
    after: float | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """Credentials, address or permission are wrong: pause *scope*, keep its deliveries, tell the operator."""

    words: str
    scope: Scope = "integration"


@dataclass(frozen=True, slots=True)
class Poison:
    """It will never take this one: a dead letter, and on with the others."""

    words: str


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """Not for this destination: counted, never dead."""

    words: str


Outcome: TypeAlias = Ok | Retry | Config | Poison | NotApplicable


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer: headers, asked for by names in lower case; the body's beginning.

    *hidden*: what is never told, longest first.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    hidden: tuple[str, ...] = field(default=(), repr=False, compare=False)

    @property
    def words(self) -> str:
        """The answer in a line, for the operator."""
        said = self.said(self.body.decode(errors="replace"))
        return f"HTTP {self.status}: {said}" if said else f"HTTP {self.status}"

    @property
    def json(self) -> Any:
        """The body as JSON; None: it is none."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None

    @property
    def fields(self) -> dict[str, Any]:
        """The body as a JSON object; empty: it is none."""
        body = self.json
        return body if isinstance(body, dict) else {}

    def said(self, text: object) -> str:
        """Return a *text* of the answer in a line without what is hidden, at most 300 characters."""
        shown = str(text)
        for secret in self.hidden:
            shown = shown.replace(secret, "**********")
        shown = " ".join(shown[:2000].split())
        return "".join(letter for letter in shown if letter.isprintable())[:300]


def outcome_of(reply: Reply, now: float) -> Outcome:
    """Return what an HTTP answer means where a destination has no words of its own. *now*: seconds since 1970 UTC."""
    if 200 <= reply.status < 300:
        return Ok()
    if 300 <= reply.status < 400:
        return Config(f"{reply.words}: a redirect, which isn't followed; set the address that it leads to")
    if reply.status in _LATER or reply.status >= 500:
        return Retry(reply.words, retry_after(reply.headers.get("retry-after", ""), now))
    if reply.status in _CONFIG:
        return Config(f"{reply.words}: {_CONFIG[reply.status]}")
    return Poison(reply.words)


def retry_after(value: str, now: float) -> float | None:
    """Return the seconds from *now* that a Retry-After header asks for, at most a day; None: it asks for nothing."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:9]), LONGEST_WAIT)
    try:
        when = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return min(max(when.timestamp() - now, 0.0), LONGEST_WAIT)


_LATER = frozenset({408, 421, 423, 425, 429})
_CONFIG = {
    401: "the credentials are refused",
    402: "the account there is not paid for",
    403: "the credentials don't permit this",
    404: "there is nothing at this address",
    405: "the address takes no such call",
    407: "a proxy wants credentials",
    410: "the address is gone for good",
}
