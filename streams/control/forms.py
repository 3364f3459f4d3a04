"""What clients of the REST API said of an object and Tidegate has no field for, so that they read back what they wrote.

And the integrations of theirs that bring data in: Tidegate takes such data from its topics, so they are only kept.
"""

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field, StrictBool

from streams.control.documents import Document, Path
from streams.control.kinds import Kind, Object

INBOUND_SECRETS = {
    "tenable": ("secretKey", "accessKey"),
    "qualys": ("password",),
    "okta_idp": ("apiToken",),
}
"""The types of integrations that bring data in, each with the names of its secrets."""


class ClientForm(Object):
    """The rest of an object. The id is the object's kind and id with a colon between; the object's own fields win."""

    made_at: int = Field(default=0, description="When the object was made, in ms since 1970 UTC.")
    made_by: str = Field(default="", description="Who made it.")
    fields: dict[str, Any] = Field(default_factory=dict, description="As the client sent them; never a secret.")


class InboundIntegration(Object):
    """An integration that brings data in, as a client wrote it."""

    type: Literal["tenable", "qualys", "okta_idp"] = Field(description="What it is of.")
    description: str = Field(default="", description="What it is for.")
    enabled: StrictBool = Field(default=True, description="As the client wants it; nothing is called either way.")
    config: dict[str, Any] = Field(default_factory=dict, repr=False, description="Its settings, by the client's names.")


def _secrets(document: Document) -> Iterator[Path]:
    config = document.get("config")
    for name in INBOUND_SECRETS.get(str(document.get("type")), ()):
        if isinstance(config, dict) and name in config:
            yield "config", name


CLIENT_FORMS = Kind(
    name="client-form",
    plural="client-forms",
    about="what API clients said of objects beyond their fields; goes with them",
    model=ClientForm,
    example={
        "id": "alert-rule:critical-to-the-soc",
        "name": "Critical to the SOC",
        "fields": {"description": "Agreed with the SOC."},
    },
    names_once=False,
)
INBOUND_INTEGRATIONS = Kind(
    name="inbound-integration",
    plural="inbound-integrations",
    about="integrations of API clients that bring data in: kept, not called",
    model=InboundIntegration,
    example={
        "id": "scanner",
        "name": "Scanner",
        "type": "qualys",
        "config": {"login": "reader", "password": "env:SCANNER_PASSWORD", "baseUrl": "qualysapi.example.com"},
    },
    find_secrets=_secrets,
    hides=("config",),
)
