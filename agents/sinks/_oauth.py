"""OAuth 2: an access token that is fetched once, kept until it is nearly worn out, and fetched anew when refused."""

from urllib.parse import urlencode

from agents.sinks._base import Sink
from agents.sinks._client import Client, Request
from agents.sinks._outcome import Config, Reply, Retry, outcome_of
from agents.sinks._talk import SettledError

MARGIN = 60.0
"""How long before its end a token isn't used any more, in seconds."""


class Token:
    """The access token of one integration."""

    def __init__(self) -> None:
        self._text = ""
        self._until = 0.0

    def drop(self) -> bool:
        """Forget the token: whether there was one."""
        had, self._text = bool(self._text), ""
        return had

    def kept(self, now: float) -> str:
        """Return the token if it is still good at *now*, seconds since 1970 UTC; empty: there is none."""
        return self._text if now <= self._until else ""

    async def get(self, sink: Sink, client: Client, url: str, form: dict[str, str], headers: dict[str, str]) -> str:
        """Return the token, fetched from *url* with *form* when none is left. Raises SettledError when that fails."""
        if not self.kept(client.clock()):
            whole = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"} | headers
            answer = await sink.reach(Request("POST", url, urlencode(form).encode(), whole), client)
            if not isinstance(answer, Reply):
                raise SettledError(answer)
            self._text, seconds = _token(answer, client.clock())
            self._until = client.clock() + seconds - MARGIN
        return self._text


def _token(reply: Reply, now: float) -> tuple[str, float]:
    """Return the token in *reply* and for how many seconds it is good. Raises SettledError when there is none."""
    fields = reply.fields
    if reply.status in (400, 401, 403):
        error = f"{fields.get('error', '')} {fields.get('error_description', '')}".strip()
        raise SettledError(
            Config(f"no token: HTTP {reply.status}: {reply.said(error) or 'the credentials are refused'}")
        )
    if not 200 <= reply.status < 300:
        outcome = outcome_of(reply, now)
        raise SettledError(outcome if isinstance(outcome, Retry) else Config(f"no token: {reply.words}"))
    text, seconds = fields.get("access_token"), fields.get("expires_in", 3600)
    if not isinstance(text, str) or not text.isascii() or not text.isprintable() or not text:
        raise SettledError(Retry(f"no token in the answer: HTTP {reply.status}"))
    try:
        return text, min(float(seconds), 86_400.0)
    except (TypeError, ValueError):
        return text, 300.0
