"""What people keep to use again: searches, lists of tags, and the fields of tickets and mails."""

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, field_validator

from queries.check import check
from queries.errors import RqlError
from queries.parse import parse
from streams.control.kinds import Kind, Object

Text = Annotated[str, Field(min_length=1)]


class SavedSearch(Object):
    """A query with a name."""

    description: str = Field(default="", description="What it is for.")
    query: Text = Field(description="The query, in RQL.")


class Tag(BaseModel):
    """A tag of resources: its key, and values of which it must have one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: Text = Field(description="The tag's key.")
    values: tuple[str, ...] = Field(default=(), description="Its values; none: any.")


class ResourceList(Object):
    """Resources that alert rules can choose, by their tags: one of them is enough."""

    description: str = Field(default="", description="What they have in common.")
    tags: tuple[Tag, ...] = Field(min_length=1, description="The tags: `key` and `values` of each.")


class TemplateOption(BaseModel):
    """One of the values that a field may have."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(default="", description="The destination's id of it.")
    key: str = Field(default="", description="The destination's key of it.")
    name: str = Field(default="", description="What people call it.")


class TemplateField(BaseModel):
    """One field of a ticket or mail."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    field: Text = Field(description="What the destination calls it, such as `summary`.")
    label: str = Field(default="", description="What people call it.")
    type: Literal["text", "list", "array", "bool", "integer"] = Field(default="text", description="What it holds.")
    required: StrictBool = Field(default=False, description="Whether the destination refuses a ticket without it.")
    value: str = Field(default="", description="Its text, in which the alert's values may stand.")
    from_alert: StrictBool = Field(default=False, description="Whether the value comes from the alert.")
    options: tuple[TemplateOption, ...] = Field(default=(), description="The values that it may have.")
    max_length: Annotated[int, Field(ge=1)] | None = Field(default=None, description="The most characters of it.")
    suggestions: str = Field(default="", description="Where the destination suggests values.")
    alias: str = Field(default="", description="Another name that the destination knows it by.")


class NotificationTemplate(Object):
    """What is sent to a ticket system or as a mail, field by field, for each state of an alert."""

    type: Literal["email", "jira", "service_now"] = Field(description="The type of the integrations that use it.")
    integration: str = Field(default="", description="The id of the one integration that uses it; empty: any.")
    enabled: StrictBool = Field(default=True, description="Whether it is used.")
    basic: tuple[TemplateField, ...] = Field(default=(), description="Fields whatever the state, such as the project.")
    open: tuple[TemplateField, ...] = Field(default=(), description="Fields of an open alert.")
    resolved: tuple[TemplateField, ...] = Field(default=(), description="Fields of a resolved alert.")
    dismissed: tuple[TemplateField, ...] = Field(default=(), description="Fields of a dismissed alert.")
    snoozed: tuple[TemplateField, ...] = Field(default=(), description="Fields of a snoozed alert.")

    @field_validator("name")
    @classmethod
    def _fits(cls, name: str) -> str:
        if len(name) > 99 or re.search(r"[<>!=\r\n]", name):
            raise ValueError("wanted at most 99 characters, none of < > ! = and no line break")
        return name


def _answerable(search: SavedSearch) -> None:
    """Raise ValueError when the query can't be answered."""
    try:
        check(parse(search.query))
    except RqlError as wrong:
        raise ValueError(f"query: {wrong}") from None


SAVED_SEARCHES = Kind(
    name="saved-search",
    plural="saved-searches",
    about="queries with a name",
    model=SavedSearch,
    example={
        "id": "unencrypted-volumes",
        "name": "Volumes that aren't encrypted",
        "query": "config from cloud.resource where api.name = 'aws-ec2-describe-volumes'"
        " and json.rule = encrypted is false",
    },
    check=_answerable,
)
RESOURCE_LISTS = Kind(
    name="resource-list",
    plural="resource-lists",
    about="resources by their tags, for alert rules",
    model=ResourceList,
    example={"id": "web-shop", "name": "Web shop", "tags": [{"key": "team", "values": ["shop", "payments"]}]},
)
NOTIFICATION_TEMPLATES = Kind(
    name="notification-template",
    plural="notification-templates",
    about="the fields of tickets and mails",
    model=NotificationTemplate,
    example={
        "id": "security-ticket",
        "name": "Security ticket",
        "type": "jira",
        "basic": [
            {"field": "project", "value": "SEC", "required": True},
            {"field": "issueType", "value": "Bug", "required": True},
        ],
        "open": [{"field": "summary", "value": "A finding of the cloud", "required": True}],
    },
    refers={"integration": "integration"},
)
