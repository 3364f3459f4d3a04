"""In which form a destination is told of an alert, and the setting that chooses it."""

from typing import Any, Literal, TypeAlias

import orjson
from pydantic import Field

from agents.sinks._ocsf import finding, fit_finding
from agents.sinks._payload import fit, fit_json, payload
from streams.alerts import Delivery

Format: TypeAlias = Literal["prisma", "ocsf"]

FORMAT: Any = Field(
    default="prisma",
    description="The form of an alert: `prisma`, Prisma Cloud's flat object, or `ocsf`, a Detection Finding (where the "
    "alert was raised for findings) or Compliance Finding of the Open Cybersecurity Schema Framework.",
    examples=["ocsf"],
)
"""The setting `format` of a destination."""


def formed(delivery: Delivery, form: Format, most: int) -> dict[str, Any] | None:
    """Return the alert in *form*, in at most *most* bytes of JSON; None: even its ids are too long."""
    if form == "ocsf":
        return fit_finding(finding(delivery), most)
    return fit(payload(delivery), most)


def written(delivery: Delivery, form: Format, most: int) -> bytes | None:
    """Return what `formed` does as JSON, which it is written into only once where it fits."""
    if form == "prisma":
        return fit_json(payload(delivery), most)
    told = formed(delivery, form, most)
    return None if told is None else orjson.dumps(told)
