"""Drives prismacloud-api, as its users do, against a Tidegate by https; prints JSON for the test to look at."""

import json
import sys
from typing import Any

from prismacloud.api import pc_api

VOLUMES = "config from cloud.resource where api.name = 'aws-ec2-describe-volumes'"
EVER = {"type": "to_now", "value": "epoch"}


def main(address: str, key: str, secret: str, authority: str) -> None:
    """Make the client's calls in the order in which a script would."""
    told: dict[str, Any] = {}
    pc_api.configure({"url": address, "identity": key, "secret": secret, "verify": authority})
    pc_api.api = address
    query = "config from cloud.resource where cloud.type = 'aws'"
    told["me"] = pc_api.current_user()["email"]
    told["saved"] = pc_api.saved_search_list_read()
    asked = {"query": query, "limit": 10, "timeRange": EVER, "withResourceJson": True}
    found = pc_api.search_config_read(asked)
    told["rrns"] = [item["rrn"] for item in found]
    told["documents"] = all(isinstance(item["data"], dict) for item in found)
    filters = [{"name": "alert.status", "operator": "=", "value": "open"}]
    alerts = pc_api.alert_v2_list_read(
        query_params={"detailed": "true"}, body_params={"limit": 7, "timeRange": EVER, "filters": filters}
    )
    told["alerts"] = [alert["id"] for alert in alerts]
    told["resource"] = pc_api.resource_read(body_params={"rrn": alerts[0]["resource"]["rrn"]})["rrn"]
    told["policies"] = len(pc_api.policy_v2_list_read())
    rule = {"name": "Py", "type": "Config", "criteria": VOLUMES, "parameters": {"savedSearch": "false"}}
    policy = {"name": "Py", "policyType": "config", "severity": "high", "cloudType": "aws", "rule": rule}
    id = pc_api.policy_create(policy)["policyId"]
    read = pc_api.policy_read(id)
    pc_api.policy_update(id, read | {"severity": "low"})
    pc_api.policy_status_update(id, "false")
    told["policy"] = [pc_api.policy_read(id)[name] for name in ("name", "severity", "enabled", "policyMode")]
    told["custom"] = [each["name"] for each in pc_api.policy_custom_v2_list_read()]
    told["exported"] = list(
        pc_api.get_policies_with_saved_searches(pc_api.policy_custom_v2_list_read())["policies"]
    ) == [id]
    pc_api.policy_delete(id)
    hook = {"url": "https://hooks.example.com/x", "headers": []}
    made = pc_api.execute(
        "POST", "integration", body_params={"name": "Py", "integrationType": "webhook", "integrationConfig": hook}
    )
    notified = {"type": "webhook", "enabled": True, "recipients": [made["id"]], "frequency": "as_it_happens"}
    wanted = {"name": "Py", "enabled": True, "scanAll": True, "target": {"accountGroups": []}}
    rule_id = pc_api.alert_rule_create({**wanted, "alertRuleNotificationConfig": [notified]})["policyScanConfigId"]
    pc_api.alert_rule_update(rule_id, pc_api.alert_rule_read(rule_id) | {"description": "new"})
    told["rule"] = [pc_api.alert_rule_read(rule_id)[name] for name in ("name", "description", "notificationChannels")]
    told["rules"] = [each["name"] for each in pc_api.alert_rule_list_read()]
    told["integrations"] = [each["name"] for each in pc_api.integration_list_read()]
    pc_api.alert_rule_delete(rule_id)
    pc_api.integration_delete(made["id"])
    told["suggested"] = pc_api.search_suggest_list_read({"query": query})["valid"]
    told["scanned"] = len(pc_api.resource_scan_info_read(body_params={"limit": 10}))
    pc_api.execute(
        "POST", "alert/dismiss", body_params={"alerts": told["alerts"][:1], "dismissalNote": "x", "filter": {}}
    )
    told["dismissed"] = pc_api.execute("GET", f"alert/{told['alerts'][0]}")["status"]
    job = pc_api.alert_csv_create(body_params={"timeRange": EVER, "filters": filters})
    told["job"] = pc_api.alert_csv_status(job["id"])["status"]
    told["table"] = len(pc_api.alert_csv_download(job["id"]).splitlines())
    sys.stdout.write(json.dumps(told))


main(*sys.argv[1:])
