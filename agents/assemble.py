"""A resource put together from its whole and from parts that came alone, in any order."""

from typing import Any

from agents.link import first_version, next_version
from agents.normalise._aws_parts import put_together
from streams.store.parts import Pieces


def assembled(pieces: Pieces) -> dict[str, Any]:
    """Return the record that takes the place of the resource's: with all of its parts, above the version that it has
    and below the next of its provider.
    """
    resource = pieces.record
    whole = put_together(resource, pieces.parts, first_version(resource["version"]))
    return whole | {"parts": pieces.of.digest, "version": next_version(resource["version"])}
