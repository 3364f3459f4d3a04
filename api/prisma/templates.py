"""Notification templates: the fields of tickets, for each state of an alert."""

from collections.abc import Iterable
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import Field

from api.prisma.access import may_change, may_read
from api.prisma.backend import Shape, answer, backend, change, nothing
from api.prisma.failures import bad
from api.prisma.integrations import TENANT
from api.prisma.kept import Kept, all_kept, kept, removing, saving
from streams.control import Control
from streams.control.check import read
from streams.control.saved import TemplateField

reads = APIRouter(tags=["Notification templates"], dependencies=[Depends(may_read), *TENANT])
writes = APIRouter(tags=["Notification templates"], dependencies=[Depends(may_change), *TENANT])

KIND = "notification-template"
V1 = "/api/v1/tenant/{prisma_id}/template"


class Option(Shape):
    """One of the values that a field may have."""

    id: str | None = ""
    key: str | None = ""
    name: str | None = ""


class FieldBody(Shape):
    """One field of a ticket."""

    field_name: str = Field(min_length=1, description="What the destination calls it.", examples=["summary"])
    display_name: str | None = Field(default="", description="What people call it.")
    type: str | None = Field(default="text", description="list, text, array, bool or integer.")
    required: bool | None = Field(default=False, description="Whether the destination refuses a ticket without it.")
    redlock_mapping: bool | None = Field(default=False, description="Whether the value comes from the alert.")
    options: list[Option] | None = Field(default=None, description="The values that it may have.")
    value: str | None = Field(default="", description="Its text, with variables such as $AlertId.")
    max_length: int | None = Field(default=None, description="The most characters of it.")
    typeahead_uri: str | None = Field(default="", description="Where the destination suggests values.")
    alias_field: str | None = Field(default="", description="Another name of it.")


class TemplateBody(Shape):
    """A template to write."""

    name: str = Field(min_length=1, max_length=99, description="What people call it.")
    integration_id: str | None = Field(default="", description="The one integration that uses it; empty: any.")
    integration_type: str = Field(description="email, jira or service_now.", examples=["jira"])
    enabled: bool | None = Field(default=True, description="Whether it is used.")
    template_type: str | None = Field(default=None, description="Kept and given back.")
    template_config: dict[str, list[FieldBody] | None] = Field(
        description="Lists of fields: `basic_config`, `open`, `resolved`, `dismissed`, `snoozed`."
    )


@reads.get(V1)
async def list_templates(
    request: Request,
    type: Annotated[list[str] | None, Query(description="Only of these types.")] = None,
    id: Annotated[list[str] | None, Query(description="Only these.")] = None,
    enabled: Annotated[bool | None, Query(description="Only those that are, or aren't.")] = None,
) -> Response:
    """List notification templates."""
    control = backend(request).control
    return answer(
        [
            _shown(control, each)
            for each in all_kept(control, KIND)
            if (not type or each.object.type in type)
            and (not id or each.id in id)
            and (enabled is None or each.object.enabled is enabled)
        ]
    )


@reads.get(V1 + "/{id}")
async def show_template(id: str, request: Request) -> Response:
    """Show one notification template."""
    control = backend(request).control
    return answer(_shown(control, kept(control, KIND, id, "template")))


@writes.post(V1 + "/test", response_class=Response)
async def try_template(asked: TemplateBody, request: Request) -> Response:
    """Check a template without making a ticket of it."""
    read(backend(request).control.kinds[KIND], "test", _document(asked))
    return nothing()


@writes.post(V1)
async def create_template(asked: TemplateBody, request: Request) -> Response:
    """Make a notification template."""
    return await _write(request, str(uuid4()), asked)


@writes.patch(V1 + "/{id}")
@writes.put(V1 + "/{id}")
async def update_template(id: str, asked: TemplateBody, request: Request) -> Response:
    """Write a notification template anew."""
    kept(backend(request).control, KIND, id, "template")
    return await _write(request, id, asked)


@writes.delete(V1 + "/{id}", response_class=Response)
async def delete_template(id: str, request: Request) -> Response:
    """Delete a notification template that no alert rule names."""
    control = backend(request).control
    kept(control, KIND, id, "template")
    await change(request, removing(control, KIND, id))
    return nothing()


async def _write(request: Request, id: str, asked: TemplateBody) -> Response:
    control = backend(request).control
    await change(request, saving(request, KIND, id, _document(asked), {"templateType": asked.template_type}))
    return answer(_shown(control, kept(control, KIND, id, "template")))


def _document(asked: TemplateBody) -> dict[str, Any]:
    if unknown := asked.template_config.keys() - _STATES.keys():
        raise bad(f"templateConfig.{min(unknown):.40}", f"wanted {', '.join(_STATES)}")
    document: dict[str, Any] = {
        "name": asked.name,
        "type": asked.integration_type.lower(),
        "integration": asked.integration_id or "",
        "enabled": asked.enabled is not False,
    }
    for said, ours in _STATES.items():
        document[ours] = [_field_in(each) for each in asked.template_config.get(said) or ()]
    return document


def _field_in(each: FieldBody) -> dict[str, Any]:
    return {
        "field": each.field_name,
        "label": each.display_name or "",
        "type": each.type or "text",
        "required": bool(each.required),
        "value": each.value or "",
        "from_alert": bool(each.redlock_mapping),
        "options": [{"id": o.id or "", "key": o.key or "", "name": o.name or ""} for o in each.options or ()],
        "max_length": each.max_length or None,
        "suggestions": each.typeahead_uri or "",
        "alias": each.alias_field or "",
    }


def _shown(control: Control, each: Kept) -> dict[str, Any]:
    template = each.object
    integration = control.objects("integration").get(template.integration)
    config = {said: _fields_out(getattr(template, ours)) for said, ours in _STATES.items() if getattr(template, ours)}
    return {
        "id": each.id,
        "name": template.name,
        "integrationId": template.integration,
        "integrationName": integration.name if integration else "",
        "integrationType": template.type,
        "enabled": template.enabled,
        "templateType": each.fields.get("templateType") or "",
        "templateConfig": config,
        "createdBy": each.made_by,
        "createdTs": each.made_at,
        "lastModifiedBy": each.changed_by,
        "lastModifiedTs": each.changed_at,
    }


def _fields_out(fields: Iterable[TemplateField]) -> list[dict[str, Any]]:
    return [
        {
            "fieldName": each.field,
            "displayName": each.label,
            "type": each.type,
            "required": each.required,
            "value": each.value,
            "redlockMapping": each.from_alert,
            "options": [option.model_dump() for option in each.options],
            "maxLength": each.max_length or 0,
            "typeaheadUri": each.suggestions,
            "aliasField": each.alias,
        }
        for each in fields
    ]


_STATES = {
    "basic_config": "basic",
    "open": "open",
    "resolved": "resolved",
    "dismissed": "dismissed",
    "snoozed": "snoozed",
}
"""What clients call the fields of each state, and Tidegate."""
