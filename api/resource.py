"""One resource as a person looks at it: configuration, findings, alerts, and one trail of all that happened to it."""

from datetime import datetime
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from api import trail
from api.alerts import AlertLine, select
from api.state import Owner
from queries.policy import Severity
from streams.errors import BrokerError, TidegateError
from streams.records import FindingStatus
from streams.store import vendor

routes = APIRouter()

MOST_FINDINGS = 1_000


class NoSuchResource(TidegateError):
    """There is no resource of that name."""


class ResourceShown(BaseModel):
    """A resource with its configuration."""

    rrn: str = Field(description="Tidegate's name of it.")
    id: str = Field(description="The provider's own id.")
    name: str = Field(description="What a person calls it.")
    account: str = Field(description="The cloud account.")
    cloud: str = Field(description="aws, azure, gcp or alibaba.")
    region: str = Field(description="The provider's region id.")
    service: str = Field(description="Such as Amazon EC2.")
    api_name: str = Field(description="What RQL calls api.name.")
    resource_type: str = Field(description="The provider's own type.")
    tags: dict[str, str] = Field(description="As the provider has them.")
    created: datetime | None = Field(description="When the provider says it was made.")
    seen: datetime | None = Field(description="As of when this configuration is.")
    deleted: bool = Field(description="Whether it is gone.")
    version: str = Field(description="Grows with each change.")
    config: Any = Field(description="What json.rule asks.")


class FindingLine(BaseModel):
    """A finding about the resource."""

    id: str = Field(description="The vendor's own id where it has one.")
    source: str = Field(description="Such as AWS GuardDuty.")
    type: str = Field(description="Such as AWS GuardDuty Host.")
    name: str = Field(description="A CVE id or the vendor's type.")
    severity: Severity = Field(description="On one scale for all vendors.")
    status: FindingStatus = Field(description="open, fixed or suppressed.")
    status_reason: str = Field(description="Why, in the vendor's words: Re-Opened, ACCEPTED, asset TERMINATED.")
    reopened: datetime | None = Field(description="When it was found again after it had been fixed.")
    title: str = Field(description="In a line.")
    description: str = Field(description="The vendor's.")
    remediation: str = Field(description="What to do.")
    cves: list[str] = Field(description="CVE ids.")
    score: float | None = Field(description="The vendor's, 0 to 10.")
    cvss: list[dict[str, Any]] = Field(description="Each: version, score, vector, source.")
    packages: list[dict[str, Any]] = Field(description="Each: name, version, fixed (the first without it), manager.")
    first_seen: datetime | None = Field(description="By the vendor.")
    last_seen: datetime | None = Field(description="By the vendor.")


class Difference(BaseModel):
    """One place in a document that is no longer what it was."""

    path: str = Field(description="As RQL writes it, such as `ipPermissions[0].toPort`; empty: all of it.")
    before: Any = Field(default=None, description="Absent: it wasn't there.")
    after: Any = Field(default=None, description="Absent: it is gone.")


class TrailLine(BaseModel):
    """One thing that happened to the resource."""

    at: int = Field(description="When Tidegate saw it, in ms since 1970 UTC.")
    kind: Literal["configuration", "finding", "alert"] = Field(description="What it happened to.")
    change: str = Field(
        description="Of a configuration: created, changed, deleted. Of a finding: opened, changed, closed, reopened."
        " Of an alert: the kind of its event."
    )
    by: str = Field(description="The user whose command it was; empty: what vendors and clouds sent.")
    detail: dict[str, Any] = Field(
        description="Of a configuration: `config` as it was then. Of a finding: id, source, type, name, cves, severity,"
        " status, title. Of an alert: id, seq, status, reason, policy."
    )
    changes: list[Difference] = Field(description="How it differs from what the trail told before.")
    offset: int = Field(description="Its place in the topic.")


class ResourceAnswer(BaseModel):
    """All that is known of one resource."""

    resource: ResourceShown | None = Field(description="Null: it was removed long ago, and the trail is what is left.")
    findings: list[FindingLine] = Field(description="The open ones first, the worst first.")
    findings_total: int = Field(description="How many there are.")
    alerts: list[AlertLine] = Field(description="Those about it, the one that changed last first.")
    trail: list[TrailLine] = Field(description="What happened to it, the newest first.")
    trail_whole: bool = Field(description="Whether that is everything.")
    trail_since: int | None = Field(description="Where it isn't: what happened before this, in ms, wasn't read.")
    trail_missing: str = Field(description="Why there is none: the broker can't be reached.")
    whole: bool = Field(description="True when every account is answered here.")


class Links(BaseModel):
    """How many open findings are linked to a resource, and why the others aren't."""

    linked: int = Field(description="Open findings that are linked to at least one.")
    unlinked: dict[str, int] = Field(description="How many of the others, by the reason; kept until it is gone.")
    whole: bool = Field(description="True when every account is counted here.")


@routes.get("/links", response_model=Links)
async def count_links(request: Request) -> Response:
    """Count open findings that are linked to a resource, and those that aren't by the reason why."""
    linked, unlinked = await request.app.state.readers.run(_links)
    whole = bool(request.app.state.owner.ownership()["all"])
    return Response(
        orjson.dumps({"linked": linked, "unlinked": unlinked, "whole": whole}), media_type="application/json"
    )


@routes.get("/resources/{rrn:path}", response_model=ResourceAnswer)
async def show_resource(
    rrn: str,
    request: Request,
    history: Annotated[int, Query(ge=0, le=10_000, description="About how much of the trail; 0: none of it.")] = 500,
) -> Response:
    """Show a resource with its findings, its alerts, and what happened to it."""
    owner: Owner = request.app.state.owner
    found = await request.app.state.readers.run(lambda cursor: look(cursor, rrn))
    kept, missing = trail.Trail(), ""
    account = found["resource"]["account"] if found["resource"] else account_of(rrn)
    if history and account:
        try:
            kept = await trail.read(owner.settings, rrn, account, most=history)
        except BrokerError as error:
            kept, missing = trail.Trail(whole=False), str(error)
    if found["resource"] is None and not kept.records:
        raise NoSuchResource(f"there is no resource {rrn!r:.200}; `tidegate rql ask` answers the rrn of each")
    return Response(
        orjson.dumps(
            {
                **found,
                "trail": [{"by": "", **line} for line in trail.told(kept.records)],
                "trail_whole": kept.whole,
                "trail_since": kept.since,
                "trail_missing": missing,
                "whole": bool(owner.ownership()["all"]),
            },
            option=orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z,
        ),
        media_type="application/json",
    )


def look(cursor: Any, rrn: str) -> dict[str, Any]:
    """Return `resource`, `findings`, `findings_total` and `alerts` of *rrn* as the store has them."""
    names = [name for name in ResourceShown.model_fields if name != "config"]
    rows = cursor.execute(
        f"select {', '.join(names)}, json::VARCHAR from resources where rid = md5_number_lower(?) and rrn = ?",  # noqa: S608 # names of ours
        [rrn, rrn],
    ).fetchall()
    resource = None
    if rows:
        *values, config = rows[0]
        resource = dict(zip(names, values, strict=True)) | {"config": orjson.Fragment(config or "null")}
        resource["tags"] = orjson.loads(resource["tags"] or "{}")
    names = list(FindingLine.model_fields)
    listed = ", ".join(f"f.{name}" for name in names)
    rows = cursor.execute(
        f"""select {listed}, count(*) over () from finding_resource l join findings f using (fid, part)
        where l.rid = md5_number_lower(?) and not f.deleted
        order by f.status <> 'open', list_position({_WORST_FIRST}, f.severity), f.id limit ?""",  # noqa: S608 # names of ours
        [rrn, MOST_FINDINGS],
    ).fetchall()
    return {
        "resource": resource,
        "findings": [dict(zip(names, row[:-1], strict=True)) for row in rows],
        "findings_total": rows[0][-1] if rows else 0,
        "alerts": select(cursor, {"rrn": [rrn]}, 1_000)["alerts"],
    }


def account_of(rrn: str) -> str:
    """Return the account that is part of *rrn*; empty where it is none. For resources that aren't stored any more."""
    parts = rrn.split(":", 5)
    return parts[4] if len(parts) == 6 and parts[0] == "rrn" else ""


def _links(cursor: Any) -> tuple[int, dict[str, int]]:
    ((linked,),) = cursor.execute("""
        select count(*) from findings
        where not deleted and status = 'open' and fid in (select fid from finding_resource)""").fetchall()
    return linked, dict(vendor.unlinked(cursor))


_WORST_FIRST = "['critical', 'high', 'medium', 'low', 'informational']"
