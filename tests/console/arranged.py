"""What an operator has set up, so that the screens of settings show something; one name is hostile."""

from tests.console.data import HOSTILE
from tests.console.stage import Up

_OBJECTS: dict[str, dict[str, object]] = {
    "integrations/soc-splunk": {
        "name": "Splunk of the SOC",
        "type": "splunk",
        "settings": {"url": "https://splunk.example.com:8088", "auth_token": "c0ffee-c0ffee"},
    },
    "integrations/tickets": {
        "name": "Security issues",
        "type": "jira",
        "settings": {
            "host_url": "https://acme.example.com",
            "login": "tidegate@example.com",
            "api_token": "c0ffee",
            "project": "SEC",
            "issue_type": "Bug",
        },
    },
    "integrations/hostile": {
        "name": HOSTILE,
        "type": "webhook",
        "enabled": False,
        "settings": {"url": "https://hook.example.com/x"},
    },
    "inbound-integrations/scanner": {
        "name": "Tenable of the data centre",
        "type": "tenable",
        "enabled": False,
        "settings": {"access_key": "a" * 64, "secret_key": "b" * 64},
    },
    "account-groups/production": {"name": "Production", "description": "What customers use."},
    "resource-lists/web-shop": {
        "name": "Web shop",
        "description": HOSTILE,
        "tags": [{"key": "team", "values": ["shop", "payments"]}],
    },
    "notification-templates/ticket": {
        "name": "Security ticket",
        "type": "jira",
        "basic": [
            {"field": "project", "label": "Project", "value": "SEC", "required": True},
            {"field": "issueType", "label": "Issue type", "value": "Bug", "required": True},
        ],
        "open": [
            {"field": "summary", "label": "Summary", "value": "${Severity}: ${PolicyName}", "required": True},
            {
                "field": "description",
                "label": "Description",
                "value": "{{ alert.policy.description }}\n\nMend it: ${PolicyRecommendation}",
            },
        ],
    },
    "alert-rules/tickets": {
        "name": "A ticket for what is critical",
        "enabled": False,
        "severities": ["critical", "high"],
        "account_groups": ["default"],
        "channels": [
            {"integration": "tickets", "template": "ticket", "states": ["open", "resolved"]},
            {"integration": "soc-splunk", "states": ["open"], "digest": {"schedule": "daily", "zone": "Europe/Berlin"}},
        ],
    },
    "policies/machines-without-a-team": {
        "name": HOSTILE,
        "severity": "low",
        "enabled": False,
        "description": HOSTILE,
        "recommendation": "Tag them with the team.",
        "rql": "config from cloud.resource where api.name = 'aws-ec2-describe-instances' and tag('x') does not exist",
        "labels": ["ownership"],
    },
}


def arrange(up: Up) -> None:
    """Set it up; where it is there already, nothing changes."""
    for place, document in _OBJECTS.items():
        up.client.change("PUT", f"/control/{place}", document)
    if not up.client.get("/snapshots")["snapshots"]:
        up.client.post("/snapshots")
