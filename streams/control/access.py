"""Users and their access keys: who may do what, and secrets of which only an argon2 hash is kept."""

import asyncio
import secrets
import time
from datetime import datetime
from typing import Annotated, Literal
from uuid import uuid4

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from pydantic import AwareDatetime, Field, SecretStr, StrictBool, field_validator

from streams.control.control import Control
from streams.control.kinds import Kind, Object
from streams.control.plan import Edit

Role = Literal["admin", "read-only", "ingest-only"]


class User(Object):
    """Somebody, or a program, that may use Tidegate. The id is a mail address or a short name."""

    role: Role = Field(description="admin: everything; read-only: ask; ingest-only: send records in.")
    enabled: StrictBool = Field(default=True, description="A disabled user's access keys open nothing.")


class AccessKey(Object):
    """What a user logs in with: the id and a secret, which is shown once, when it is made."""

    user: Annotated[str, Field(min_length=1, description="The id of the user who it belongs to.")]
    secret: SecretStr = Field(description="The argon2 hash of its secret, never the secret.")
    expires: AwareDatetime | None = Field(default=None, description="When it stops working; none: never.")
    enabled: StrictBool = Field(default=True, description="Whether it works.")

    @field_validator("secret")
    @classmethod
    def _is_a_hash(cls, secret: SecretStr) -> SecretStr:
        if not secret.get_secret_value().startswith("$argon2id$"):
            raise ValueError("wanted an argon2id hash: `tidegate access-keys add USER` makes a key with its secret")
        return secret


USERS = Kind(
    name="user",
    plural="users",
    about="who may use Tidegate, and their roles",
    model=User,
    example={"id": "ann@example.com", "name": "Ann", "role": "read-only"},
    names_once=False,
)
ACCESS_KEYS = Kind(
    name="access-key",
    plural="access-keys",
    about="access keys, with hashed secrets",
    model=AccessKey,
    example={
        "id": "5f0c8a1e-7c0b-4d5b-9d53-0d8f6d6b1c11",
        "name": "The nightly report",
        "user": "ann@example.com",
        "secret": "$argon2id$v=19$m=19456,t=2,p=1$c29tZSBzYWx0$YSBoYXNoIHRoYXQgbm90aGluZyBmaXRz",
        "expires": "2027-12-31T00:00:00Z",
    },
    refers={"user": "user"},
    names_once=False,
)

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""OWASP's choice for argon2id: 19 MiB, two passes."""


async def add_access_key(
    control: Control, user: str, name: str, expires: datetime | None, *, by: str
) -> tuple[str, str]:
    """Make an access key for *user*; return its id and its secret, which is never shown again. Raises as `change`."""
    id, secret = str(uuid4()), secrets.token_urlsafe(32)
    hashed = await asyncio.to_thread(_HASHER.hash, secret)
    document = {"name": name, "user": user, "secret": hashed, "expires": expires and expires.isoformat()}
    await control.change([Edit(ACCESS_KEYS.name, id, document, version=0)], by=by)
    return id, secret


async def user_of(control: Control, id: str, secret: str, now: float | None = None) -> User | None:
    """Return the user whom access key *id* with *secret* lets in, None for nobody. *now*: seconds since 1970 UTC.

    Takes as long for an id that isn't there as for a wrong secret, so that ids can't be found by trying.
    """
    key = control.objects(ACCESS_KEYS.name).get(id)
    right = await asyncio.to_thread(_matches, key.secret.get_secret_value() if key else _nobody(), secret)
    if key is None or not right or not key.enabled:
        return None
    if key.expires is not None and key.expires.timestamp() <= (time.time() if now is None else now):
        return None
    user: User | None = control.objects(USERS.name).get(key.user)
    return user if user is not None and user.enabled else None


def _matches(hashed: str, secret: str) -> bool:
    try:
        return _HASHER.verify(hashed, secret)
    except (Argon2Error, InvalidHashError):
        return False


def _nobody() -> str:
    """Return a hash that no secret fits, at the price of any other."""
    return "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
