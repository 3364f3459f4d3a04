"""Who an Azure resource is: what its ARM id says, and the account of what has no subscription."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from agents.normalise._rows import text


class ArmId(NamedTuple):
    """An ARM id, read. Everything is in lower case but *type*, which is spelt as it stood."""

    id: str
    subscription: str
    type: str
    segments: Mapping[str, str]
    """Names by the type before them: `{"resourcegroups": "web", "storageaccounts": "logs"}`."""


def arm_id(sent: str) -> ArmId:
    """Read the id of an ARM resource. Ids are the same in any case, so they are kept in lower case.

    The last `/providers/` tells the type: what stands before it is what an extension, such as a lock, belongs to.
    """
    parts = sent.strip("/").split("/")
    lowered = [part.lower() for part in parts]
    segments = dict(zip(lowered[::2], lowered[1::2], strict=False))
    last = max((index for index, part in enumerate(lowered) if part == "providers"), default=-1)
    if last >= 0:
        type = "/".join([*parts[last + 1 : last + 2], *parts[last + 2 :: 2]])
    elif "resourcegroups" in segments:
        type = "Microsoft.Resources/resourceGroups"
    else:
        type = "Microsoft.Resources/subscriptions" if "subscriptions" in segments else ""
    return ArmId("/" + "/".join(lowered), segments.get("subscriptions", ""), type, segments)


def keys_of(id: str, sent: str, config: Mapping[str, Any]) -> Iterator[str]:
    """Yield every identifier by which a finding may name a resource: its ARM id in both spellings, a machine's GUID."""
    yield id
    yield sent
    properties = config.get("properties")
    if type(properties) is dict:
        yield text(properties.get("vmId")).lower()
    yield text(config.get("userPrincipalName"))


def region_of(location: str) -> str:
    """Return a region's id: `East US` and `eastus` are one; what has no location is global."""
    return location.replace(" ", "").lower() or "global"
