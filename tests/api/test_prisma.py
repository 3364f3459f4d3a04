"""The product's API over a filled store and a real control plane: what it answers is what is there."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from agents.places import resolved_rules
from agents.rules import NOBODY
from streams.alerts import Alert, AlertPolicy, AlertResource, alert_id, write
from streams.control import Edit
from streams.embedded import Broker
from streams.store import alerts as alert_rows
from tests.api.prisma_tenant import Api, Tenant, tenant

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio(loop_scope="module")]

INSTANCES = "config from cloud.resource where api.name = 'aws-ec2-describe-instances'"
ACCOUNT = "111122223333"
EVER = {"type": "to_now", "value": "epoch"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ours(broker: Broker, filled: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Tenant]:
    async with tenant(tmp_path_factory.mktemp("tenant"), broker, filled) as started:
        _alerts(started, 25)
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def api(ours: Tenant) -> AsyncIterator[Api]:
    async with ours.client(await ours.login()) as client:
        yield client


def _alerts(ours: Tenant, count: int, opened: int = 1_700_000_000_000) -> list[Alert]:
    """Put alerts into the store: half of them high, opened a second after another."""
    made = []
    for number in range(count):
        policy = AlertPolicy(id="p", name="A policy", severity="high" if number % 2 else "low", labels=["l"])
        resource = AlertResource(
            rrn=f"rrn:x:{opened}:{number}", id=f"i-{number}", account=ACCOUNT, cloud="aws", region="eu"
        )
        at = opened + 1000 * number
        alert = Alert(
            id=alert_id(policy.id, resource.subject),
            policy=policy,
            resource=resource,
            status="open",
            reason="NEW_ALERT",
            first_seen=at,
            last_seen=at,
            opened=at,
            updated=at,
            seq=1,
        )
        made.append(alert)
    _put(ours, made)
    return made


def _put(ours: Tenant, alerts: list[Alert]) -> None:
    cursor = ours.store.cursor()
    alert_rows.put(cursor, [alert_rows.Row(0, alert, write(alert)) for alert in alerts])
    cursor.close()


async def test_a_search_is_paged_as_both_python_clients_do(ours: Tenant, api: Api) -> None:
    whole = (await api.post("/search/config", json={"query": INSTANCES, "withResourceJson": True})).json()["data"]
    assert len(whole["items"]) == whole["totalRows"] > 5
    assert "nextPageToken" not in whole
    assert all(isinstance(item["data"], dict) for item in whole["items"])
    first = (await api.post("/search/config", json={"query": INSTANCES, "limit": 2, "timeRange": EVER})).json()
    found, token = first["data"]["items"], first["data"]["nextPageToken"]
    while token:
        page = await api.post(
            "/search/config/page", json={"limit": 3, "pageToken": token, "withResourceJson": "true", "query": INSTANCES}
        )
        assert page.json()["totalRows"] == whole["totalRows"]
        assert isinstance(page.json()["items"][0]["data"], dict)
        found += page.json()["items"]
        token = page.json().get("nextPageToken")
    assert [item["rrn"] for item in found] == [item["rrn"] for item in whole["items"]]
    said = await api.post("/search/config/page", json={"pageToken": first["data"]["nextPageToken"] + "x"})
    assert (said.status_code, said.json()["error"]["code"]) == (400, "bad_request")


async def test_pages_neither_skip_nor_repeat_a_row_while_rows_come_and_go(ours: Tenant, api: Api) -> None:
    rrns = [
        item["rrn"] for item in (await api.post("/search/config", json={"query": INSTANCES})).json()["data"]["items"]
    ]
    cursor = ours.store.cursor()
    try:
        for change in (
            "update resources set deleted = true where rrn = ?",
            "update resources set deleted = false where rrn = ?",
        ):
            first = (await api.post("/search/config", json={"query": INSTANCES, "limit": 3})).json()["data"]
            seen = [item["rrn"] for item in first["items"]]
            for rrn in rrns[:2]:  # the first ones go; then they come again
                cursor.execute(change, [rrn])
            token = first.get("nextPageToken")
            while token:
                page = (await api.post("/search/config/page", json={"pageToken": token, "limit": 2})).json()
                seen += [item["rrn"] for item in page["items"]]
                token = page.get("nextPageToken")
            assert len(seen) == len(set(seen))
            assert set(seen) >= set(rrns[2:])
    finally:
        cursor.execute("update resources set deleted = false")
        cursor.close()


async def test_a_search_gives_columns_counts_and_csv(api: Api) -> None:
    said = await api.post("/search/config", json={"query": INSTANCES + " addcolumn instanceId", "limit": 1})
    data = said.json()["data"]
    assert data["dynamicColumns"] == ["instanceId"]
    assert data["items"][0]["dynamicData"]["instanceId"] == data["items"][0]["id"]
    table = await api.post("/search/config", json={"query": INSTANCES}, headers={"accept": "text/csv"})
    assert table.headers["content-type"] == "text/csv"
    assert table.text.splitlines()[1].startswith("accountId,accountName,cloudType")
    v2 = (await api.post("/search/api/v2/config", json={"query": INSTANCES, "limit": 1})).json()
    again = (await api.post("/search/api/v2/config", json={"query": "x", "nextPageToken": v2["nextPageToken"]})).json()
    assert v2["items"][0]["rrn"] < again["items"][0]["rrn"]
    by_id = (await api.post(f"/search/api/v2/config/{v2['id']}", json={"limit": 1})).json()
    assert by_id["items"] == v2["items"]


async def test_a_list_of_alerts_is_the_same_on_every_page_however_alerts_change(ours: Tenant, api: Api) -> None:
    asked = {
        "limit": 4,
        "sortBy": ["alertTime:asc"],
        "filters": [{"name": "cloud.region", "operator": "=", "value": "eu"}],
    }
    page = (await api.post("/v2/alert?detailed=true", json=asked)).json()
    total, seen = page["totalRows"], [item["id"] for item in page["items"]]
    while "nextPageToken" in page:
        newer = _alerts(ours, 1, 1_800_000_000_000 + len(seen))
        again = replace(
            newer[0], id=seen[0], resource=replace(newer[0].resource, rrn="rrn:x:1700000000000:0"), seq=len(seen)
        )
        _put(ours, [again])  # what was seen is opened again, and would come last
        page = (await api.post("/v2/alert?detailed=true", json={"pageToken": page["nextPageToken"]})).json()
        assert page["totalRows"] == total
        seen += [item["id"] for item in page["items"]]
    assert len(seen) == len(set(seen)) == total


async def test_alerts_are_filtered_sorted_and_counted(api: Api) -> None:
    def asked(*filters: tuple[str, str], **more: Any) -> dict[str, Any]:
        return {"filters": [{"name": name, "operator": "=", "value": value} for name, value in filters], **more}

    high = (await api.post("/v2/alert", json=asked(("policy.severity", "high"), ("alert.status", "open")))).json()
    assert {item["policy"]["severity"] for item in high["items"]} == {"high"}
    both = asked(("policy.severity", "high"), ("policy.severity", "low"))
    assert (await api.post("/v2/alert", json=both)).json()["totalRows"] > high["totalRows"]
    covered = asked(("alertRule.name", "Default alert rule"), ("policy.severity", "high"))
    assert (await api.post("/v2/alert", json=covered)).json()["totalRows"] == high["totalRows"]
    none = asked(("policy.type", "network"))
    assert (await api.post("/v2/alert", json=none)).json()["items"] == []
    range_ = {"type": "absolute", "value": {"startTime": 1_700_000_000_000, "endTime": 1_700_000_003_500}}
    timed = await api.post("/alert", json=asked(("cloud.region", "eu"), timeRange=range_, sortBy=["alertTime:desc"]))
    times = [item["alertTime"] for item in timed.json()]
    assert times == sorted(times, reverse=True)
    assert 1 <= len(times) <= 4
    flat = await api.get("/v2/alert?timeType=relative&timeAmount=24&timeUnit=hour&detailed=true&alert.status=open")
    assert flat.status_code == 200
    assert (await api.get("/alert/count/open")).json()["count"] >= 25
    groups = (await api.post("/alert/policy", json={})).json()
    assert sum(group["alertCount"] for group in groups) >= 25
    for wrong in (asked(("alert.state", "open")), asked(sortBy=["x:asc"]), {"timeRange": {"type": "x"}}):
        said = await api.post("/v2/alert", json=wrong)
        assert said.status_code == 400, said.text
    assert "did you mean alert.status?" in (await api.post("/v2/alert", json=asked(("alert.state", "open")))).text
    options = (await api.get("/filter/alert/suggest")).json()
    assert options["cloud.region"]["options"] == ["eu"]
    one = (await api.get(f"/alert/{high['items'][0]['id']}")).json()
    assert isinstance(one["alertTime"], int)
    assert (await api.get("/alert/P-0")).status_code == 404
    snoozed = await api.post("/alert/dismiss", json={"alerts": [one["id"]], "dismissalTimeRange": EVER, "filter": {}})
    assert "dismissalTimeRange" in snoozed.headers["x-redlock-status"]


async def test_a_resource_has_its_findings_and_how_it_stands(api: Api) -> None:
    query = "config from cloud.resource where finding.severity in ('high', 'critical')"
    item = (await api.post("/search/config", json={"query": query, "limit": 1})).json()["data"]["items"][0]
    assert item["hasExternalFinding"] is True
    shown = (await api.post("/resource", json={"rrn": item["rrn"]})).json()
    assert (shown["id"], type(shown["data"])) == (item["id"], dict)
    found = (await api.post("/resource/external_finding", json={"rrn": item["rrn"]})).json()
    assert found[0]["resourceCloudId"] == item["id"]
    assert found[0]["severity"] in ("high", "critical")
    without = {"rrn": item["rrn"], "excludeSeverityList": ["high", "critical"]}
    assert all(
        one["severity"] not in ("high", "critical")
        for one in (await api.post("/resource/external_finding", json=without)).json()
    )
    asset = (await api.post("/uai/v1/asset", json={"assetId": item["assetId"], "type": "external_finding"})).json()
    assert asset["data"]["asset"]["externalFindings"] == found
    scanned, token = [], None
    while True:
        page = (
            await api.post("/resource/scan_info", json={"limit": 10} | ({"pageToken": token} if token else {}))
        ).json()
        scanned += page["resources"]
        token = page.get("nextPageToken")
        if not token:
            break
    assert len({one["rrn"] for one in scanned}) == len(scanned) == page["totalMatchedCount"]
    assert (await api.post("/resource", json={"rrn": "rrn:none"})).status_code == 404
    assert (await api.post("/resource/network", json={"rrn": item["rrn"]})).status_code == 400


async def test_a_policy_of_a_saved_search_follows_it(ours: Tenant, api: Api) -> None:
    recent = (await api.post("/search/config", json={"query": INSTANCES, "limit": 0})).json()
    saved = await api.post(
        f"/search/history/{recent['id']}",
        json={"id": recent["id"], "name": "Instances", "query": INSTANCES, "saved": False, "timeRange": EVER},
    )
    assert saved.json()["saved"] is True
    rule = {
        "name": "x",
        "type": "Config",
        "criteria": recent["id"],
        "parameters": {"savedSearch": "true", "withIac": "false"},
    }
    body = {
        "name": "Of a search",
        "policyType": "config",
        "severity": "high",
        "cloudType": "aws",
        "rule": rule,
        "description": "",
        "labels": ["a"],
        "enabled": False,
    }
    policy = (await api.post("/policy", json=body)).json()
    assert policy["rule"]["criteria"] == recent["id"]
    assert policy["rule"]["parameters"]["savedSearch"] == "true"
    assert (policy["description"], policy["recommendation"]) == ("", "")
    assert ours.control.objects("policy")[policy["policyId"]].rql == INSTANCES
    other = "config from cloud.resource where api.name = 'aws-ec2-describe-volumes'"
    await api.post(f"/search/history/{recent['id']}", json={"name": "Instances", "query": other, "timeRange": EVER})
    assert ours.control.objects("policy")[policy["policyId"]].rql == other
    listed = (await api.get("/v2/policy", params={"policy.name": "Of a search"})).json()
    assert [each["policyId"] for each in listed] == [policy["policyId"]]
    used = await api.delete(f"/search/history/{recent['id']}")
    assert (used.status_code, used.json()["error"]["code"]) == (409, "saved_search_in_use")
    switched = await api.patch(f"/policy/{policy['policyId']}/status/true")
    assert (switched.status_code, switched.content) == (200, b"")
    taken = await api.post("/policy", json=body)
    assert json.loads(taken.headers["x-redlock-status"])[0]["i18nKey"] == "policy_name_already_exists"
    assert (await api.delete(f"/policy/{policy['policyId']}")).status_code == 204
    assert (await api.delete(f"/search/history/{recent['id']}")).status_code == 204
    assert (await api.get(f"/search/history/{recent['id']}")).status_code == 404
    shipped = (await api.get("/policy/aws-security-group-ssh-open")).json()
    assert (shipped["policyMode"], shipped["systemDefault"]) == ("redlock_default", True)


async def test_a_rule_that_names_account_groups_follows_them(ours: Tenant, api: Api) -> None:
    accounts = [Edit("cloud-account", each, {"name": each, "cloud": "aws"}) for each in (ACCOUNT, "222222222222")]
    await ours.control.change(accounts, by="test")
    group = (await api.post("/cloud/group", json={"name": "Shop", "accountIds": []})).json()
    rule = {"name": "Of a group", "scanAll": True, "target": {"accountGroups": [group["id"]]}, "notifyOnOpen": True}
    made = (await api.post("/alert/rule", json=rule)).json()
    assert made["target"] == {"accountGroups": [group["id"]]}

    def covered() -> list[str]:
        return list(resolved_rules(ours.control)[made["policyScanConfigId"]].accounts)

    assert covered() == [NOBODY]
    changed = await api.put(f"/cloud/group/{group['id']}", json={"name": "Shop", "accountIds": [ACCOUNT]})
    assert changed.json()["alertRules"] == [{"alertId": made["policyScanConfigId"], "alertName": "Of a group"}]
    assert covered() == [ACCOUNT]
    used = await api.delete(f"/cloud/group/{group['id']}")
    assert used.json()["error"]["code"] == "account_group_in_use"
    assert (await api.delete(f"/alert/rule/{made['policyScanConfigId']}")).status_code == 204
    assert (await api.delete(f"/cloud/group/{group['id']}")).status_code == 200
    unknown = await api.post("/cloud/group", json={"name": "Other", "accountIds": ["nope"]})
    assert "invalid_account_id" in unknown.headers["x-redlock-status"]


async def test_a_rule_reads_back_its_digests_tags_standards_and_delay(ours: Tenant, api: Api) -> None:
    hook = {"name": "Hook of digests", "integrationType": "webhook", "integrationConfig": {"url": "https://h.example"}}
    id = (await api.post("/integration", json=hook)).json()["id"]
    rule = {
        "name": "With everything",
        "scanAll": True,
        "delayNotificationMs": 90_000,
        "target": {
            "accountGroups": [],
            "tags": [{"key": "team", "values": ["shop", "pay"]}, {"key": "any", "values": []}],
            "alertRulePolicyFilter": {"policy.complianceStandard": ["CIS v1"]},
        },
        "alertRuleNotificationConfig": [
            {
                "type": "webhook",
                "recipients": [id],
                "frequency": "weekly",
                "daysOfWeek": [{"day": "FR"}],
                "hourOfDay": 9,
            }
        ],
    }
    made = (await api.post("/alert/rule", json=rule)).json()
    ours_ = ours.control.objects("alert-rule")[made["policyScanConfigId"]]
    assert (ours_.delay_s, ours_.standards, ours_.tags) == (90, ("CIS v1",), {"team": ("shop", "pay"), "any": ()})
    assert ours_.channels[0].digest.schedule == "FREQ=WEEKLY;BYDAY=FR;BYHOUR=9;BYMINUTE=0"
    shown = (await api.get(f"/alert/rule/{made['policyScanConfigId']}")).json()
    assert (shown["delayNotificationMs"], shown["target"]["tags"]) == (90_000, rule["target"]["tags"])  # type: ignore[index]
    assert shown["alertRuleNotificationConfig"][0]["frequency"] == "weekly"
    change = {"channels": [{"integration": id, "digest": {"schedule": "daily", "zone": "Europe/Berlin"}}]}
    await ours.control.change([Edit("alert-rule", ours_.id, change, merge=True)], by="test")
    (config,) = (await api.get(f"/alert/rule/{ours_.id}")).json()["alertRuleNotificationConfig"]
    assert (config["frequency"], config["timezone"], config["hourOfDay"]) == ("daily", "Europe/Berlin", 8)
    for id_, path in ((ours_.id, "/alert/rule"), (id, "/integration")):
        assert (await api.delete(f"{path}/{id_}")).status_code in (200, 204)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"policies": [""]}, "bad_request"),
        ({"policies": []}, "bad_request"),
        ({"policies": ["nope"]}, "bad_request"),
        ({"allowAutoRemediate": True}, "not_supported"),
        ({"policyLabels": ["x"]}, "not_supported"),
        ({"target": {"accountGroups": ["nope"]}}, "account_group_not_found"),
        ({"target": {"accountGroups": [], "tags": [{"values": ["b", "c"]}]}}, "bad_request"),
        ({"alertRuleNotificationConfig": [{"type": "email", "recipients": ["a@example.com"]}]}, "not_supported"),
        ({"alertRuleNotificationConfig": [{"type": "slack", "recipients": ["nope"]}]}, "invalid_integration"),
        ({"alertRuleNotificationConfig": [{"type": "slack", "frequency": "yearly"}]}, "bad_request"),
        (
            {"alertRuleNotificationConfig": [{"type": "slack", "frequency": "daily", "timezone": "Mars"}]},
            "bad_request",
        ),
    ],
)
async def test_a_rule_that_would_not_do_what_it_says_is_refused(api: Api, change: dict[str, Any], key: str) -> None:
    rule = {"name": "Wrong", "policies": ["aws-security-group-ssh-open"], "target": {"accountGroups": []}}
    said = await api.post("/alert/rule", json=rule | change)
    assert (said.status_code, said.json()["error"]["code"]) == (400, key), said.text
    assert next(iter(change)) in said.text or key == "bad_request"


async def test_secrets_stay_hidden_and_survive_a_masked_write(ours: Tenant, api: Api) -> None:
    config = {
        "url": "https://hooks.example.com/s3cret-url",
        "authToken": "s3cret-token",
        "headers": [
            {"key": "X-Team", "value": "cloud", "secure": False, "readOnly": False},
            {"key": "X-Key", "value": "s3cret-header", "secure": True, "readOnly": False},
        ],
    }
    body = {
        "name": "Hook",
        "integrationType": "WEBHOOK",
        "enabled": True,
        "description": "d",
        "integrationConfig": config,
    }
    made = (await api.post("/integration", json=body)).json()
    assert (made["integrationType"], made["integrationConfig"]["url"]) == ("webhook", config["url"])
    assert [header["value"] for header in made["integrationConfig"]["headers"]] == ["cloud", "**********"]
    assert made["integrationConfig"]["authToken"] == "**********"
    tenant_id = (await api.get("/license")).json()["prismaId"]
    path = f"/api/v1/tenant/{tenant_id}/integration/{made['id']}"
    async with ours.client(await ours.login("read-only")) as reader:
        assert "s3cret" not in (await reader.get(path)).text
    await api.put(path, json={**made, "name": "Hook 2"})
    held = ours.control.objects("integration")[made["id"]]
    assert held.name == "Hook 2"
    assert held.settings["token"].get_secret_value() == "s3cret-token"
    assert held.settings["headers"]["X-Key"].get_secret_value() == "s3cret-header"
    assert (await api.patch(path, json={"enabled": False})).status_code == 200
    assert (await api.get(path)).json()["enabled"] is False
    failed = (
        await api.post(
            "/integration/test",
            params={"id": made["id"]},
            json={**made, "integrationConfig": {**made["integrationConfig"], "url": "https://127.0.0.1:9/x"}},
        )
    ).json()
    assert failed["success"] is False
    assert (await api.get(path)).json()["status"] == "RED"
    refused = await api.post("/integration", json={**body, "name": "env", "integrationConfig": {"url": "env:HOME"}})
    assert "is the operator's to write" in refused.text
    for type, key in (("snowflake", "not_supported"), ("webhok", "bad_request")):
        said = await api.post("/integration", json={**body, "integrationType": type})
        assert said.json()["error"]["code"] == key
    assert (await api.get(f"/api/v1/tenant/other/integration/{made['id']}")).status_code == 404
    assert (await api.delete(path)).status_code == 200
    assert all(made["id"] not in id for id in ours.control.objects("client-form"))
