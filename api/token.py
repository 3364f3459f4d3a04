"""The API's token: 32 random bytes in a file that only its owner can read."""

import contextlib
import hmac
import os
import secrets
from pathlib import Path

from streams.errors import SettingsError


def ensure(data: Path) -> str:
    """Return the token of the data folder *data*, made when there is none yet."""
    path = _path(data)
    with contextlib.suppress(FileExistsError):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "w") as text:
            text.write(secrets.token_urlsafe(32) + "\n")
    path.chmod(0o600)  # a copy or a backup may have opened it up
    return read(data)


def read(data: Path) -> str:
    """Return the token of the data folder *data*. Raises SettingsError when there is none, or it can't be read."""
    path = _path(data)
    try:
        token = path.read_text().strip()
    except OSError as error:
        raise SettingsError(f"the token in {path} can't be read: {error.strerror}") from error
    if len(token) < 32:
        raise SettingsError(f"the token in {path} is damaged; delete the file and restart `tidegate up`")
    return token


def same(given: str, token: str) -> bool:
    """Say whether *given* is the *token*, in a time that doesn't depend on where they differ."""
    return hmac.compare_digest(given.encode(), token.encode())


def _path(data: Path) -> Path:
    return data / "token"
