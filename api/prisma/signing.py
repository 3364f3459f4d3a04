"""Signed texts that we hand out and get back: session tokens and page tokens, in the form of a JWT (HS256)."""

import base64
import binascii
import contextlib
import hashlib
import hmac
import os
import secrets
import time
import zlib
from pathlib import Path
from typing import Any, Literal, get_args

import orjson

from streams.errors import SettingsError

Purpose = Literal["JWT", "page", "console", "csrf", "ticket"]

LONGEST = 1024 * 1024
"""The most characters of a token that is looked at."""


class Signer:
    """Signs with the key of a data folder, made when there is none: a token of one Tidegate opens no other."""

    def __init__(self, data: Path) -> None:
        self._key = _key(data / "sessions.key")

    @property
    def tenant(self) -> str:
        """What clients call the prismaId: digits that stay the same."""
        return str(int.from_bytes(hashlib.sha256(b"tenant" + self._key).digest()[:7], "big") + 10**17)

    def sign(self, purpose: Purpose, fields: dict[str, Any]) -> str:
        """Return *fields* as a token, readable by its holder, changeable by nobody."""
        body = orjson.dumps(fields)
        if purpose == "page":
            body = zlib.compress(body)
        text = f"{_HEADERS[purpose]}.{_text(body)}"
        return f"{text}.{_text(self._signature(text))}"

    def open(self, purpose: Purpose, token: str, now: float | None = None) -> dict[str, Any] | None:
        """Return the fields of a *token*; None for one that isn't ours, has another purpose, or has expired (`exp`)."""
        text, _, signature = token.rpartition(".")
        header, _, body = text.partition(".")
        if len(token) > LONGEST or not token.isascii() or header != _HEADERS[purpose]:
            return None
        if not hmac.compare_digest(signature, _text(self._signature(text))):
            return None
        try:
            raw = _bytes(body)
            fields = orjson.loads(zlib.decompress(raw) if purpose == "page" else raw)
        except (ValueError, binascii.Error, zlib.error):
            return None
        over = fields.get("exp", float("inf")) <= (time.time() if now is None else now)
        return None if over else dict(fields)

    def _signature(self, text: str) -> bytes:
        return hmac.new(self._key, text.encode(), hashlib.sha256).digest()


def _key(path: Path) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with contextlib.suppress(FileExistsError):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "w") as text:
            text.write(secrets.token_hex(32) + "\n")
    path.chmod(0o600)  # a copy or a backup may have opened it up
    try:
        key = bytes.fromhex(path.read_text().strip())
    except (OSError, ValueError):
        key = b""
    if len(key) != 32:
        raise SettingsError(f"the key in {path} is damaged; delete the file: who is logged in logs in again")
    return key


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


_HEADERS = {name: _text(orjson.dumps({"alg": "HS256", "typ": name})) for name in get_args(Purpose)}
