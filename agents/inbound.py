"""Inbound integrations: a vendor under an id of its own, with the settings that make it a connector."""

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Any

from pydantic import ConfigDict, Field
from typing_extensions import override

from agents.connectors import CONNECTORS
from agents.connectors._base import Connector
from agents.integrations import Plugged
from streams.control.documents import Document, Path
from streams.control.kinds import Id, Kind, Name
from streams.control.secret_fields import secret_paths

KEPT = {"okta_idp": ("apiToken",)}
"""Types that API clients may write and that nothing pulls, each with its secrets."""


class InboundIntegration(Plugged):
    """A vendor that is asked for its findings."""

    model_config = ConfigDict(use_attribute_docstrings=False)

    id: Id
    name: Name
    type: Annotated[str, Field(description="The connector: a name of docs/integrations.md; `okta_idp` is only kept.")]
    description: str = Field(default="", description="What it is for.")
    enabled: bool = Field(
        default=True, description="When it isn't, it isn't asked; findings and the place to go on at stay."
    )
    settings: dict[str, Any] = Field(
        default_factory=dict,
        repr=False,
        description="The connector's settings. `env:NAME` and `file:/path` in place of a text stand for what is there.",
    )

    @cached_property
    def connector(self) -> Connector | None:
        """The connector, made of the settings; None: the type is only kept.

        Raises IntegrationError, a line for each thing that is wrong.
        """
        if self.type in KEPT:
            return None
        return self.made(CONNECTORS, "connector")

    @override
    def plug(self) -> Connector | None:
        return self.connector


def _secrets(document: Document) -> Iterator[Path]:
    """Yield where secrets stand in the document of an inbound integration: its connector's settings say it."""
    type, settings = str(document.get("type", "")), document.get("settings")
    if type in CONNECTORS:
        yield from secret_paths(CONNECTORS[type], settings, ("settings",))
    elif isinstance(settings, dict):
        yield from (("settings", name) for name in KEPT.get(type, ()) if name in settings)


INBOUND_INTEGRATIONS = Kind(
    name="inbound-integration",
    plural="inbound-integrations",
    about="vendors that are asked for findings, with their settings, secrets sealed",
    model=InboundIntegration,
    example={
        "id": "scanner",
        "name": "Scanner",
        "type": "tenable",
        "settings": {"access_key": "env:TENABLE_ACCESS_KEY", "secret_key": "env:TENABLE_SECRET_KEY"},
    },
    find_secrets=_secrets,
    hides=("settings",),
    check_new=InboundIntegration.check,
)
