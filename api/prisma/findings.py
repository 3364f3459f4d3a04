"""Findings of resources as the product's clients know them."""

from collections.abc import Sequence
from typing import Any

import orjson

from api.prisma.items import Names
from api.prisma.words import milliseconds

MOST = 10_000
"""The most findings of one answer."""

SOURCES = {
    "AWS_GUARD_DUTY": "AWS GuardDuty",
    "AWS_INSPECTOR": "AWS Inspector",
    "AWS_SECURITY_HUB": "AWS Security Hub",
    "TENABLE": "Tenable",
    "QUALYS": "Qualys",
    "AZURE_SECURITY_CENTER": "Azure Security Center",
}
"""The product's words for sources, with Tidegate's."""

_STATEMENT = """
    select f.id, f.account, f.region, f.source, f.type, f.name, f.cves, f.severity, f.score, f.title, f.description,
        f.remediation, f.status, f.first_seen, f.last_seen, r.rrn, r.id, r.api_name, n.record
    from finding_resource l join resources r using (rid) join findings f using (fid)
        left join finding_records n on n.fid = f.fid and n.part = f.part
    where not f.deleted and l.rid in (select md5_number_lower(unnest(?::VARCHAR[]))) {more}
    order by list_position(['critical', 'high', 'medium', 'low', 'informational'], f.severity), f.id, r.rrn limit ?"""


def findings(
    cursor: Any,
    rrns: Sequence[str],
    names: Names,
    *,
    types: Sequence[str] = (),
    sources: Sequence[str] = (),
    without: Sequence[str] = (),
    ids: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """Return the findings of the resources *rrns*, the worst first; *without*: severities that are left out."""
    more, values = [], []
    if types:
        more.append("upper(replace(f.type, ' ', '_')) in (select unnest(?::VARCHAR[]))")
        values.append([each.upper().replace(" ", "_") for each in types])
    if sources:
        more.append("f.source in (select unnest(?::VARCHAR[]))")
        values.append([SOURCES.get(each.upper(), each) for each in sources])
    if without:
        more.append("f.severity not in (select unnest(?::VARCHAR[]))")
        values.append([each.lower() for each in without])
    if ids:
        more.append("f.id in (select unnest(?::VARCHAR[]))")
        values.append(list(ids))
    statement = _STATEMENT.replace("{more}", "".join(f" and {each}" for each in more))
    rows = cursor.execute(statement, [list(rrns), *values, MOST]).fetchall()
    return [_finding(row, names) for row in rows]


def _finding(row: tuple[Any, ...], names: Names) -> dict[str, Any]:
    (id, account, region, source, type, name, cves, severity, score, title, description, remediation, status) = row[:13]
    first_seen, last_seen, rrn, resource, api_name, record = row[13:]
    raw = orjson.loads(record) if record else {}
    return {
        "accountId": account,
        "accountName": names.account(account),
        "regionId": region,
        "externalFindingId": id,
        "findingId": id,
        "source": next((word for word, ours in SOURCES.items() if ours == source), source),
        "severity": severity,
        "status": status,
        "type": type,
        "cveId": cves[0] if cves else "",
        "cveIds": list(cves or ()),
        "title": title,
        "description": description,
        "remediation": remediation,
        "normalizedName": name,
        "normalizedNames": [name],
        "count": 1,
        "score": score or 0.0,
        "nvdUrl": f"https://nvd.nist.gov/vuln/detail/{cves[0]}" if cves else "",
        "resourceCloudId": resource,
        "resourceId": resource,
        "resourceUrl": "",
        "rrn": rrn,
        "apiName": api_name,
        "rawData": orjson.dumps(raw.get("original")).decode() if raw.get("original") is not None else "",
        "sourceData": {"links": raw.get("links") or [], "packages": raw.get("packages") or []},
        "riskFactors": [],
        "scanId": "",
        "createdOn": milliseconds(first_seen),
        "updatedOn": milliseconds(last_seen),
        "rlUpdatedOn": milliseconds(last_seen),
        "customerId": 0,
    }
