"""Cloud accounts and their groups, and resource lists."""

from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import Field

from api.prisma.access import may_change, may_read
from api.prisma.backend import Shape, answer, backend, change, nothing
from api.prisma.failures import Failure, bad, not_found, unsupported
from api.prisma.kept import FORM, Kept, all_kept, kept, removing, saving
from api.prisma.words import cloud_in, cloud_out
from streams.control import Control, Edit

reads = APIRouter(tags=["Accounts"], dependencies=[Depends(may_read)])
writes = APIRouter(tags=["Accounts"], dependencies=[Depends(may_change)])

GROUP, ACCOUNT, LIST = "account-group", "cloud-account", "resource-list"


class GroupBody(Shape):
    """An account group to write."""

    name: str = Field(min_length=1, max_length=255, description="What people call it; no two are called the same.")
    description: str | None = Field(default="", max_length=10_000, description="What its accounts have in common.")
    account_ids: list[str] | None = Field(default=None, description="The accounts in it: all of them.")
    child_group_ids: list[str] | None = Field(default=None, description="Not supported: groups hold accounts.")


class ListBody(Shape):
    """A resource list to write."""

    name: str = Field(min_length=1, max_length=255, description="What people call it; no two are called the same.")
    description: str | None = Field(default="", max_length=10_000, description="What it is for.")
    resource_list_type: str = Field(default="TAG", description="Only TAG.")
    members: list[dict[str, Any]] = Field(
        description="Tags: each a `key` and `value`, or the key with the value.", examples=[[{"team": "shop"}]]
    )


@reads.get("/cloud/group")
async def list_groups(request: Request) -> Response:
    """List account groups."""
    control = backend(request).control
    return answer([_group(control, each) for each in all_kept(control, GROUP)])


@reads.get("/cloud/group/name")
async def list_group_names(request: Request) -> Response:
    """List account groups by id and name."""
    return answer([{"id": each.id, "name": each.object.name} for each in all_kept(backend(request).control, GROUP)])


@reads.get("/cloud/group/name/{cloud}")
async def list_group_names_of_cloud(cloud: str, request: Request) -> Response:
    """List the account groups that hold an account of a cloud."""
    control = backend(request).control
    held = {
        group
        for account in control.objects(ACCOUNT).values()
        if account.cloud == cloud_in(cloud)
        for group in account.groups
    }
    return answer([{"id": one.id, "name": one.object.name} for one in all_kept(control, GROUP) if one.id in held])


@reads.get("/cloud/group/{id}")
async def show_group(id: str, request: Request) -> Response:
    """Show one account group."""
    control = backend(request).control
    return answer(_group(control, kept(control, GROUP, id, "account group")))


@writes.post("/cloud/group")
async def create_group(asked: GroupBody, request: Request) -> Response:
    """Make an account group."""
    return await _write_group(request, str(uuid4()), asked)


@writes.put("/cloud/group/{id}")
async def update_group(id: str, asked: GroupBody, request: Request) -> Response:
    """Write an account group anew; accounts that aren't named any more leave it."""
    kept(backend(request).control, GROUP, id, "account group")
    return await _write_group(request, id, asked)


@writes.delete("/cloud/group/{id}", response_class=Response)
async def delete_group(id: str, request: Request) -> Response:
    """Delete an account group that no alert rule names; its accounts stay."""
    control = backend(request).control
    kept(control, GROUP, id, "account group")
    if rules := _rules(control, id):
        raise Failure(409, "account_group_in_use", f"alert rules name it: {', '.join(n for _, n in rules[:5])}")
    edits = [
        Edit(ACCOUNT, account.id, {"groups": [group for group in account.groups if group != id]}, merge=True)
        for account in control.objects(ACCOUNT).values()
        if id in account.groups
    ]
    await change(request, [*edits, *removing(control, GROUP, id)])
    return nothing()


@reads.get("/cloud")
async def list_accounts(request: Request) -> Response:
    """List cloud accounts, as they were first seen and as people describe them."""
    control = backend(request).control
    return answer([_account(control, each) for each in all_kept(control, ACCOUNT)])


@reads.get("/cloud/name")
async def list_account_names(
    request: Request,
    onlyActive: Annotated[bool, Query(description="Only those that are enabled.")] = False,
    cloudType: Annotated[str | None, Query(description="Only of this cloud.")] = None,
) -> Response:
    """List cloud accounts by id and name."""
    found = [
        {"id": each.id, "name": each.object.name, "cloudType": cloud_out(each.object.cloud), "parentAccountName": ""}
        for each in all_kept(backend(request).control, ACCOUNT)
        if (not onlyActive or each.object.enabled) and (not cloudType or each.object.cloud == cloud_in(cloudType))
    ]
    return answer(found)


@reads.get("/cloud/type")
async def list_clouds() -> Response:
    """List the clouds."""
    return answer(["aws", "azure", "gcp", "alibaba_cloud"])


@reads.get("/cloud/{cloud}/{id}")
async def show_account(cloud: str, id: str, request: Request) -> Response:
    """Show one cloud account."""
    control = backend(request).control
    found = kept(control, ACCOUNT, id, "cloud account")
    if found.object.cloud != cloud_in(cloud):
        raise not_found(f"account of {cloud:.40}", id)
    return answer(_account(control, found))


@reads.get("/v1/resource_list")
async def list_lists(
    request: Request, listType: Annotated[str | None, Query(description="Only TAG.")] = None
) -> Response:
    """List resource lists."""
    found = [_list(each) for each in all_kept(backend(request).control, LIST)]
    return answer(found if listType in (None, "TAG") else [])


@reads.get("/v1/resource_list/types")
async def list_types() -> Response:
    """List the types of resource lists."""
    return answer(["TAG"])


@reads.get("/v1/resource_list/{id}")
async def show_list(id: str, request: Request) -> Response:
    """Show one resource list."""
    return answer(_list(kept(backend(request).control, LIST, id, "resource list")))


@writes.post("/v1/resource_list")
async def create_list(asked: ListBody, request: Request) -> Response:
    """Make a resource list."""
    return await _write_list(request, str(uuid4()), asked)


@writes.put("/v1/resource_list/{id}")
async def update_list(id: str, asked: ListBody, request: Request) -> Response:
    """Write a resource list anew."""
    kept(backend(request).control, LIST, id, "resource list")
    return await _write_list(request, id, asked)


@writes.delete("/v1/resource_list/{id}", response_class=Response)
async def delete_list(id: str, request: Request) -> Response:
    """Delete a resource list."""
    control = backend(request).control
    kept(control, LIST, id, "resource list")
    await change(request, removing(control, LIST, id))
    return nothing()


async def _write_group(request: Request, id: str, asked: GroupBody) -> Response:
    control = backend(request).control
    if asked.child_group_ids:
        raise unsupported("childGroupIds", "account groups hold accounts, not groups")
    accounts = control.objects(ACCOUNT)
    wanted = set(asked.account_ids or ())
    if unknown := sorted(wanted - accounts.keys()):
        raise Failure(
            400, "invalid_account_id", f"accountIds: no account {unknown[0]!r:.100} was seen or registered yet"
        )
    edits = saving(request, GROUP, id, {"name": asked.name, "description": asked.description or ""}, {})
    for account in accounts.values() if asked.account_ids is not None else ():
        if (id in account.groups) != (account.id in wanted):
            others = [group for group in account.groups if group != id]
            groups = [*others, id] if account.id in wanted else others
            edits.append(Edit(ACCOUNT, account.id, {"groups": groups}, merge=True))
    await change(request, edits)
    return answer(_group(control, kept(control, GROUP, id, "account group")))


def _group(control: Control, each: Kept) -> dict[str, Any]:
    accounts = [account for account in control.objects(ACCOUNT).values() if each.id in account.groups]
    return {
        "id": each.id,
        "name": each.object.name,
        "description": each.object.description,
        "accountIds": [account.id for account in accounts],
        "accounts": [{"id": one.id, "name": one.name, "type": cloud_out(one.cloud)} for one in accounts],
        "cloudAccountCount": len(accounts),
        "cloudAccountInfos": [
            {"accountId": one.id, "cloudType": cloud_out(one.cloud).upper(), "lastModifiedBy": ""} for one in accounts
        ],
        "alertRules": [{"alertId": id, "alertName": name} for id, name in _rules(control, each.id)],
        "childGroupIds": [],
        "autoCreated": each.shipped,
        "lastModifiedBy": each.changed_by or "Tidegate",
        "lastModifiedTs": each.changed_at,
    }


def _rules(control: Control, group: str) -> list[tuple[str, str]]:
    """Return id and name of the alert rules that name *group*."""
    rules = control.objects("alert-rule")
    found = []
    for form_id, form in control.objects(FORM).items():
        kind, _, id = form_id.partition(":")
        if (
            kind == "alert-rule"
            and id in rules
            and group in ((form.fields.get("target") or {}).get("accountGroups") or ())
        ):
            found.append((id, str(rules[id].name)))
    return found


def _account(control: Control, each: Kept) -> dict[str, Any]:
    groups = control.objects(GROUP)
    account = each.object
    return {
        "accountId": each.id,
        "name": account.name,
        "cloudType": cloud_out(account.cloud),
        "accountType": "account",
        "enabled": account.enabled,
        "groupIds": list(account.groups),
        "groups": [{"id": group, "name": groups[group].name} for group in account.groups if group in groups],
        "cloudAccountOwner": ", ".join(account.owners),
        "addedOn": each.made_at,
        "lastModifiedTs": each.changed_at,
        "lastModifiedBy": each.changed_by,
        "status": "ok",
        "numberOfChildAccounts": 0,
    }


async def _write_list(request: Request, id: str, asked: ListBody) -> Response:
    control = backend(request).control
    if asked.resource_list_type.upper() != "TAG":
        raise unsupported("resourceListType", "lists of tags only: TAG")
    tags: dict[str, list[str]] = {}
    for member in asked.members:
        pairs = [(member["key"], member.get("value"))] if isinstance(member.get("key"), str) else list(member.items())
        for key, value in pairs:
            if not isinstance(value, str | int | float | type(None)):
                raise bad("members", f"{member!r:.100}: wanted a tag's key and its value")
            tags.setdefault(str(key), []).extend([] if value in (None, "") else [str(value)])
    document = {
        "name": asked.name,
        "description": asked.description or "",
        "tags": [{"key": key, "values": values} for key, values in tags.items()],
    }
    await change(request, saving(request, LIST, id, document, {"members": asked.members}))
    return answer(_list(kept(control, LIST, id, "resource list")))


def _list(each: Kept) -> dict[str, Any]:
    tags = [{tag.key: value} for tag in each.object.tags for value in tag.values or ("",)]
    return {
        "id": each.id,
        "name": each.object.name,
        "description": each.object.description,
        "resourceListType": "TAG",
        "members": each.fields.get("members") or tags,
        "lastModifiedBy": each.changed_by,
        "lastModifiedTs": each.changed_at,
    }
