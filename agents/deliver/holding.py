"""What a delivery's record says of when it may be sent, and with which others: read without reading the rest."""

from typing import NamedTuple

import msgspec


class Held(NamedTuple):
    """When a delivery may be sent, in which digest, and whether it only takes back what came before it."""

    not_before: int = 0
    """Ms since 1970 UTC; 0: at once."""
    digest: str = ""
    """The group that is one message; empty: a message of its own."""
    withdraws: bool = False


AT_ONCE = Held()


def held_of(value: bytes) -> Held:
    """Return what the record *value* says. One that can't be read is tried at once: that tells what is wrong."""
    if value.endswith(_NOT_HELD):
        return AT_ONCE
    try:
        said = _DECODER.decode(value)
    except msgspec.MsgspecError:
        return AT_ONCE
    found = Held(said.not_before, said.digest, said.withdraws)
    return AT_ONCE if found == AT_ONCE else found


class _Said(msgspec.Struct):
    not_before: int = 0
    digest: str = ""
    withdraws: bool = False


_DECODER = msgspec.json.Decoder(_Said)

_NOT_HELD = b'"not_before":0,"digest":"","withdraws":false,"schema":1}'
"""How nearly every record ends: there is nothing to decode then."""
