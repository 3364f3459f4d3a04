"""Resources: shown, with their findings, alerts and history; and how they stand against the policies."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import Field

from api import trail
from api.prisma.access import may_read
from api.prisma.alert_filters import FILTERS, Condition
from api.prisma.alert_lists import alerts, chosen, shown
from api.prisma.alerts import ListBody
from api.prisma.backend import Backend, Shape, answer, backend
from api.prisma.failures import bad, not_found, unsupported
from api.prisma.findings import findings
from api.prisma.items import Names, config_of, items
from api.prisma.words import asset_id, cloud_in, cloud_out
from streams.store.alerts import by_id

reads = APIRouter(tags=["Resources"], dependencies=[Depends(may_read)])

MOST = 10_000


class ResourceBody(Shape):
    """A resource, and which of its findings."""

    rrn: str | None = Field(default=None, max_length=4000, description="The resource's rrn.")
    rrn_list: list[str] | None = Field(default=None, max_length=1000, description="Several of them.")
    finding_type: list[str] | None = Field(default=None, description="Only findings of these types.")
    finding_source: list[str] | None = Field(default=None, description="Only of these sources.")
    risk_factors: list[str] | None = Field(default=None, description="Passed over.")
    exclude_severity_list: list[str] | None = Field(default=None, description="Severities that are left out.")

    @property
    def rrns(self) -> list[str]:
        """Every rrn that is named. Raises Failure for none."""
        named = [*([self.rrn] if self.rrn else ()), *(self.rrn_list or ())]
        if not named:
            raise bad("rrn", "missing: the name that searches answer as `rrn`")
        return named


class AssetBody(Shape):
    """An asset, and what of it."""

    asset_id: str = Field(max_length=4000, description="Its `assetId`, as searches answer it, or its rrn.")
    type: str = Field(default="asset", description="asset, external_finding, alerts, raw_config or timeline.")
    finding_type: list[str] | None = Field(default=None, description="Only findings of these types.")
    limit: int | None = Field(default=None, description="Passed over.")


@reads.post("/resource")
async def show_resource(asked: ResourceBody, request: Request) -> Response:
    """Show one resource with its configuration."""
    back = backend(request)
    return answer(await _resource(back, asked.rrns[0]))


@reads.post("/resource/raw")
async def show_raw(asked: ResourceBody, request: Request) -> Response:
    """Show the configuration of a resource."""
    back = backend(request)
    await _resource(back, asked.rrns[0])
    return answer(await back.ask(lambda cursor: config_of(cursor, asked.rrns[0])))


@reads.post("/resource/external_finding")
async def list_findings(asked: ResourceBody, request: Request) -> Response:
    """List the findings of a resource, the worst first."""
    return answer(await _findings(backend(request), asked, asked.rrns))


@reads.get("/resource/external_finding")
async def list_findings_of_alert(
    alertId: Annotated[str, Query(description="The alert's id, such as P-7.")], request: Request
) -> Response:
    """List the findings for which an alert was raised; all of its resource where it wasn't for some."""
    back = backend(request)

    def ask(cursor: Any) -> list[Any] | None:
        rows = by_id(cursor, [alertId])
        if not rows:
            return None
        alert = rows[0].alert
        return findings(cursor, [alert.resource.rrn], Names(back.control_), ids=alert.findings)

    found = await back.ask(ask)
    if found is None:
        raise not_found("alert", alertId)
    return answer(found)


@reads.post("/resource/external_integration")
async def list_vendors(asked: ResourceBody, request: Request) -> Response:
    """List the vendors that know a resource."""
    found = await _findings(backend(request), asked, asked.rrns)
    sources: dict[str, dict[str, Any]] = {}
    for each in found:
        one = sources.setdefault(
            each["source"],
            {
                "source": each["source"],
                "id": each["resourceCloudId"],
                "name": each["resourceCloudId"],
                "assetJson": {},
                "hasAgent": False,
                "firstSeen": each["createdOn"],
                "lastSeen": each["updatedOn"],
                "tags": [],
            },
        )
        one["firstSeen"] = min(one["firstSeen"], each["createdOn"])
        one["lastSeen"] = max(one["lastSeen"], each["updatedOn"])
    return answer(list(sources.values()))


@reads.post("/resource/alert")
async def list_alerts(asked: ResourceBody, request: Request) -> Response:
    """List the alerts about a resource."""
    back = backend(request)
    return answer(await _alerts(back, asked.rrns))


@reads.post("/resource/timeline")
async def show_timeline(asked: ResourceBody, request: Request) -> Response:
    """List what happened to a resource, the newest first: its configuration, findings and alerts."""
    back = backend(request)
    return answer(await _timeline(back, asked.rrns[0]))


@reads.post("/resource/network")
async def show_network() -> Response:
    """Refuse: Tidegate holds no traffic."""
    raise unsupported("network", "Tidegate holds configurations and findings, no network traffic")


@reads.post("/uai/v1/asset")
async def show_asset(asked: AssetBody, request: Request) -> Response:
    """Show an asset, or a part of what is known of it."""
    back = backend(request)
    rrn = await back.ask(lambda cursor: _rrn(cursor, asked.asset_id))
    if rrn is None:
        raise not_found("asset", asked.asset_id)
    item = await _resource(back, rrn)
    asset: dict[str, Any] = {
        "id": item["assetId"],
        "prismaId": back.signer.tenant,
        "externalAssetId": item["id"],
        **{name: item[name] for name in ("name", "cloudType", "regionId", "regionName", "accountName", "tags", "url")},
        "serviceName": item["service"],
        "resourceType": item["resourceType"],
        "assetType": item["resourceType"],
        "accountGroup": item["accountGroupName"],
        **{name: item[name] for name in ("createdTs", "insertTs", "deleted", "stateId", "vpcId", "vpcName", "rrn")},
    }
    match asked.type:
        case "asset" | "asset_lite" | "raw_config":
            asset["data"] = item["data"]
        case "external_finding" | "findings" | "vulnerabilities":
            wanted = ResourceBody(rrn=rrn, finding_type=asked.finding_type)
            asset["externalFindings"] = await _findings(back, wanted, [rrn])
        case "alerts" | "alerts_counts" | "alert_summary":
            asset["alerts"] = await _alerts(back, [rrn])
        case "timeline":
            asset["timeline"] = await _timeline(back, rrn)
        case _:
            raise unsupported("type", f"{asked.type!r:.60}: asset, external_finding, alerts, raw_config, timeline")
    return answer({"data": {"asset": asset}})


@reads.post("/resource/scan_info")
@reads.post("/v2/resource/scan_info")
async def list_scanned(asked: ListBody, request: Request) -> Response:
    """List resources with whether they pass: without an open alert; `nextPageToken` goes into `pageToken`."""
    filters = [(each.name, each.value) for each in asked.filters or ()]
    return answer(await _scanned(backend(request), filters, asked.limit, asked.page_token))


@reads.get("/resource/scan_info")
@reads.get("/v2/resource/scan_info")
async def list_scanned_by_query(request: Request) -> Response:
    """The same, with what is asked for in the query string."""
    query = request.query_params
    filters = [(name, value) for name, value in query.multi_items() if "." in name]
    limit = int(query["limit"]) if query.get("limit", "").isdigit() and len(query["limit"]) < 8 else None
    return answer(await _scanned(backend(request), filters, limit, query.get("pageToken")))


async def _resource(back: Backend, rrn: str) -> dict[str, Any]:
    found = await back.ask(lambda cursor: items(cursor, [rrn], Names(back.control_), documents=True))
    if rrn not in found:
        raise not_found("resource", rrn)
    return found[rrn]


async def _findings(back: Backend, asked: ResourceBody, rrns: list[str]) -> list[dict[str, Any]]:
    names = Names(back.control_)
    return await back.ask(
        lambda cursor: findings(
            cursor,
            rrns,
            names,
            types=asked.finding_type or (),
            sources=asked.finding_source or (),
            without=asked.exclude_severity_list or (),
        )
    )


async def _alerts(back: Backend, rrns: list[str]) -> list[Any]:
    wanted = Condition("rrn in (select unnest(?::VARCHAR[]))", [rrns], [])
    found = await back.ask(lambda cursor: alerts(cursor, chosen(cursor, wanted)[:MOST]))
    return shown(back, found, detailed=False)


async def _timeline(back: Backend, rrn: str) -> list[dict[str, Any]]:
    item = await _resource(back, rrn)
    lines = (await trail.read(back.owner.settings, rrn, item["accountId"])).records
    return [
        {
            "id": f"{asset_id(rrn)}-{line['offset']}",
            "timestamp": line["at"],
            "discoveredTs": line["at"],
            "type": {"configuration": "STATE_CHANGE", "finding": "VULNERABILITY"}.get(line["kind"], "EVENT"),
            "eventName": f"{line['kind']} {line['change']}",
            "eventType": line["change"],
            "user": line.get("by", ""),
            "firstState": line["kind"] == "configuration" and line["change"] == "created",
            "alertIds": [line["detail"]["id"]] if line["kind"] == "alert" and "id" in line.get("detail", {}) else [],
            "vulnerabilities": [
                {"id": each, "url": f"https://nvd.nist.gov/vuln/detail/{each}"}
                for each in (line.get("detail", {}).get("cves") or ())
            ],
            "detail": line.get("detail", {}),
        }
        for line in lines
    ]


def _rrn(cursor: Any, id: str) -> str | None:
    """Return the rrn of the resource with this asset id, or that has it as its rrn."""
    bare = id.replace("-", "")
    rows = cursor.execute(
        "select rrn from resources where rid = md5_number_lower(?) or md5(rrn) = ? limit 1", [id, bare]
    ).fetchall()
    return str(rows[0][0]) if rows else None


async def _scanned(
    back: Backend, filters: list[tuple[str, str]], limit: int | None, token: str | None
) -> dict[str, Any]:
    plan: dict[str, Any] = {"scan": filters, "l": max(1, min(limit or 1000, MOST)), "r": ""}
    if token:
        given = back.signer.open("page", token)
        if given is None or "scan" not in given:
            raise bad("pageToken", "it isn't one of this list: begin with the first page")
        plan = given
    parts, values = ["not deleted"], []
    for name, value in plan["scan"]:
        if name in _COLUMNS:
            parts.append(f"{_COLUMNS[name]} = ?")
            values.append(cloud_in(value) if name == "cloud.type" else value)
        elif name == "scan.status" and value in ("passed", "failed"):
            some = "rid in (select rid from alerts where status = 'open')"
            parts.append(some if value == "failed" else f"not {some}")
        elif name != "scan.status" and name not in FILTERS:
            raise bad(f"filters.{name:.60}", f"wanted one of {', '.join((*_COLUMNS, 'scan.status'))}")
        elif name != "scan.status":
            raise unsupported(f"filters.{name:.60}", f"wanted one of {', '.join((*_COLUMNS, 'scan.status'))}")
    names = Names(back.control_)

    def ask(cursor: Any) -> dict[str, Any]:
        where = " and ".join(parts)
        total = cursor.execute(f"select count(*) from resources where {where}", values).fetchall()[0][0]  # noqa: S608 # names of ours
        rows = cursor.execute(
            "select rid, rrn, account, cloud, region, resource_type, id, name from resources"  # noqa: S608
            f" where {where} and rrn > ? order by rrn limit ?",
            [*values, plan["r"], plan["l"] + 1],
        ).fetchall()
        more, rows = len(rows) > plan["l"], rows[: plan["l"]]
        opened: dict[int, list[tuple[Any, ...]]] = {}
        for line in cursor.execute(
            "select rid, policy, policy_name, severity from alerts where status = 'open'"
            " and rid in (select unnest(?::UBIGINT[]))",
            [[row[0] for row in rows]],
        ).fetchall():
            opened.setdefault(line[0], []).append(line)
        page: dict[str, Any] = {
            "totalMatchedCount": total,
            "pageSize": len(rows),
            "timestamp": 0,
            "resources": [_scan(row, opened.get(row[0], []), names) for row in rows],
        }
        if more:
            page["nextPageToken"] = back.signer.sign("page", {**plan, "r": rows[-1][1]})
        return page

    return await back.ask(ask)


def _scan(row: tuple[Any, ...], opened: list[tuple[Any, ...]], names: Names) -> dict[str, Any]:
    _, rrn, account, cloud, region, kind, id, name = row
    severities = [line[3] for line in opened]
    return {
        "rrn": rrn,
        "id": id,
        "name": name or id,
        "accountId": account,
        "accountName": names.account(account),
        "cloudType": cloud_out(cloud),
        "regionId": region,
        "regionName": region,
        "assetType": kind,
        "unifiedAssetId": asset_id(rrn),
        "overallPassed": not opened,
        "alertStatus": {
            each: severities.count(each) for each in ("critical", "high", "medium", "low", "informational")
        },
        "scannedPolicies": [
            {"id": line[1], "name": line[2], "severity": line[3], "passed": False, "labels": []} for line in opened
        ],
        "resourceConfigJsonAvailable": True,
        "resourceDetailsAvailable": True,
    }


_COLUMNS = {
    "cloud.account": "account",
    "cloud.accountId": "account",
    "cloud.region": "region",
    "cloud.service": "service",
    "cloud.type": "cloud",
    "resource.id": "id",
    "resource.name": "name",
    "resource.type": "resource_type",
}
