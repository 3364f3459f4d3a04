"""Secrets are sealed with AES-256-GCM before they reach a topic, each bound to the one place where it stands."""

import base64
import binascii
import contextlib
import hashlib
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from streams.control.errors import SealError
from streams.errors import SettingsError

MASK = "**********"
"""What is shown in a secret's place; written back, it means the secret that is there."""

_MARK = "sealed:1:"
_NONCE = 12


class Keys:
    """The keys: the first seals, all open. *file*: where they were made and may be replaced; None: the operator's."""

    def __init__(self, texts: Sequence[str], file: Path | None = None, *, where: str = "TIDEGATE_SECRETS_KEY") -> None:
        self._file = file
        self._keys = _parsed(texts, where)

    @classmethod
    def load(cls, given: str, file: Path | None, own: Path, *, create: bool) -> "Keys":
        """Return the keys that the operator gave: *given* by commas, or a line each in *file*; else those in *own*.

        *create*: make *own* with a first key, readable by its owner alone, where nothing is there. Raises
        SettingsError.
        """
        if given:
            return cls(given.split(","))
        if file is not None:
            try:
                return cls(_lines(file), where=f"TIDEGATE_SECRETS_KEY_FILE: {file}")
            except OSError as error:
                raise SettingsError(f"TIDEGATE_SECRETS_KEY_FILE: can't read {file}: {error.strerror}") from None
        if create:
            _create(own)
        try:
            return cls(_lines(own), own, where=str(own))
        except FileNotFoundError:
            return cls([])
        except OSError as error:
            raise SettingsError(f"the keys in {own} can't be read: {error.strerror}") from None

    @property
    def current(self) -> str:
        """The name of the key that seals: a part of its hash. Raises SealError when there is none."""
        if not self._keys:
            raise SealError(
                "there is no key to seal secrets with: set TIDEGATE_SECRETS_KEY or TIDEGATE_SECRETS_KEY_FILE to the"
                " same on every machine, `tidegate keys new` prints one; or write a reference, env:NAME or file:PATH"
            )
        return next(iter(self._keys))

    @property
    def ours(self) -> bool:
        """Whether Tidegate made them, and so may replace them."""
        return self._file is not None

    def seal(self, text: str, place: str) -> str:
        """Return *text* sealed for *place*, such as `integration|x|settings.url`. Raises SealError without a key."""
        name = self.current
        nonce = secrets.token_bytes(_NONCE)
        sealed = AESGCM(self._keys[name]).encrypt(nonce, text.encode(), place.encode())
        return f"{_MARK}{name}:{base64.b64encode(nonce + sealed).decode()}"

    def open(self, text: str, place: str) -> str:
        """Return what was sealed for *place*; a text that isn't sealed as it is. Raises SealError."""
        if not is_sealed(text):
            return text
        name, _, body = text.removeprefix(_MARK).partition(":")
        if name not in self._keys and self._file is not None:
            with contextlib.suppress(OSError, SettingsError):
                self._keys = _parsed(_lines(self._file), str(self._file))  # another process has rotated them
        if name not in self._keys:
            raise SealError(
                f"sealed with key {name}, which isn't among the {len(self._keys)} keys here: add it to"
                " TIDEGATE_SECRETS_KEY or its file, or write the secret again"
            )
        try:
            raw = base64.b64decode(body, validate=True)
            return AESGCM(self._keys[name]).decrypt(raw[:_NONCE], raw[_NONCE:], place.encode()).decode()
        except (InvalidTag, ValueError, binascii.Error):
            raise SealError(f"sealed with key {name}, but for another place, or damaged: write it again") from None

    def is_current(self, text: str) -> bool:
        """Say whether *text* is sealed with the key that seals now."""
        return text.startswith(f"{_MARK}{self.current}:")

    def add(self) -> None:
        """Make a new key and put it first; the others still open. Raises SealError for keys of the operator's."""
        self._write([new_key(), *map(_text, self._keys.values())])

    def forget(self) -> None:
        """Drop all but the first. Raises SealError for keys of the operator's."""
        self._write([_text(self._keys[self.current])])

    def _write(self, texts: list[str]) -> None:
        if self._file is None:
            raise SealError("the keys are the operator's: put the new one first in TIDEGATE_SECRETS_KEY or its file")
        partial = self._file.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(_ABOUT + "".join(f"{text}\n" for text in texts))
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self._file)
        self._keys = _parsed(texts, str(self._file))


def new_key() -> str:
    """Return a new key: 32 random bytes in base64."""
    return _text(secrets.token_bytes(32))


def is_sealed(text: str) -> bool:
    """Say whether *text* is a sealed secret."""
    return text.startswith(_MARK)


def is_reference(text: str) -> bool:
    """Say whether *text* only says where a secret is: `env:NAME` or `file:PATH`."""
    return text.startswith(("env:", "file:"))


_ABOUT = "# These open the secrets of integrations. Without them each has to be written again: keep a copy.\n"


def _create(own: Path) -> None:
    own.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with contextlib.suppress(FileExistsError):
        file = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "w") as text:
            text.write(f"{_ABOUT}{new_key()}\n")
    own.chmod(0o600)  # a copy or a backup may have opened it up


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]


def _parsed(texts: Sequence[str], where: str) -> dict[str, bytes]:
    """Map the name of each key to the key. What is wrong is told by its number: it may be half of a secret."""
    keys = {}
    for number, text in enumerate((text.strip() for text in texts), 1):
        try:
            key = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != 32:
            raise SettingsError(f"{where}: key {number} isn't 32 bytes in base64: `tidegate keys new` prints one")
        keys[hashlib.sha256(b"tidegate key " + key).hexdigest()[:8]] = key
    return keys


def _text(key: bytes) -> str:
    return base64.b64encode(key).decode()
