"""Logging in, and what a client asks of the tenant before anything else."""

from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import Field

from api.prisma.access import LIFE_S, Session, may_read, session_of
from api.prisma.backend import Shape, answer, backend

open_ = APIRouter(tags=["Login"])
any_role = APIRouter(tags=["Login"])
reads = APIRouter(tags=["Tenant"], dependencies=[Depends(may_read)])


class Credentials(Shape):
    """An access key."""

    username: str = Field(
        max_length=300, description="The access key's id.", examples=["5f0c8a1e-7c0b-4d5b-9d53-0d8f6d6b1c11"]
    )
    password: str = Field(max_length=1000, description="Its secret.")
    customer_name: str | None = Field(default=None, description="Passed over: there is one tenant.")
    prisma_id: str | None = Field(default=None, description="Passed over.")


@open_.post("/login")
async def log_in(credentials: Credentials, request: Request) -> Response:
    """Exchange an access key for a token of ten minutes, which goes into the header x-redlock-auth."""
    back = backend(request)
    address = request.client.host if request.client else ""
    session, made = await back.access.log_in(credentials.username, credentials.password, address)
    return _logged_in(request, session, made)


@any_role.get("/auth_token/extend")
async def extend(request: Request) -> Response:
    """Exchange a token that still works for a new one."""
    session = session_of(request)
    return _logged_in(request, session, backend(request).access.issue(session))


@any_role.get("/user/me")
async def show_me(request: Request) -> Response:
    """Show who asks."""
    session = session_of(request)
    return answer(
        {
            "email": session.user,
            "displayName": session.name,
            "firstName": session.name,
            "lastName": "",
            "username": session.user,
            "type": "SERVICE_ACCOUNT",
            "enabled": True,
            "roleType": _ROLES[session.role],
            "role": {"name": session.role, "roleType": _ROLES[session.role]},
            "accessKeysAllowed": True,
            "timeZone": "UTC",
            "sessionTimeout": LIFE_S,
        }
    )


@any_role.get("/check")
async def check(request: Request) -> Response:
    """Say that the token works."""
    return answer({"status": "ok", "user": session_of(request).user})


@reads.get("/license")
async def show_license(request: Request) -> Response:
    """Show the tenant's id, which paths under /api/v1/tenant name."""
    return answer({"prismaId": backend(request).signer.tenant, "customerName": "Tidegate", "model": "open source"})


@reads.get("/meta_info")
async def show_meta_info() -> Response:
    """Show where the product's other services are: there are none."""
    return answer({})


@reads.get("/settings/enterprise")
async def show_settings() -> Response:
    """Show the tenant's settings, which are fixed."""
    return answer(
        {
            "sessionTimeout": LIFE_S // 60,
            "requireAlertDismissalNote": False,
            "auditLogsEnabled": True,
            "defaultPoliciesEnabled": dict.fromkeys(("critical", "high", "medium", "low", "informational"), True),
            "applyDefaultPoliciesEnabled": True,
            "alarmEnabled": False,
        }
    )


def _logged_in(request: Request, session: Session, made: str) -> Response:
    tenant = {"customerName": "Tidegate", "prismaId": backend(request).signer.tenant, "tosAccepted": True}
    body: dict[str, Any] = {"token": made, "message": "login_successful", "customerNames": [tenant]}
    return answer(body | {"roles": [_ROLES[session.role]]})


_ROLES = {"admin": "System Admin", "read-only": "Account Group Read Only", "ingest-only": "Ingest Only"}
"""The product's words for the roles."""
