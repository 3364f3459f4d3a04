"""Every screen of the console, with an address that shows it filled: for pictures, accessibility, hostile names."""

from urllib.parse import quote

from tests.console.arranged import arrange
from tests.console.stage import Up

QUERY = "config from cloud.resource where cloud.type = 'aws' AND api.name = 'aws-ec2-describe-instances'"


def screens(up: Up) -> dict[str, str]:
    """Return addresses by the name of the picture. A new screen is one line here."""
    arrange(up)
    letter = up.client.get("/dead-letters")["dead_letters"][0]
    alerts = up.client.get("/alerts", severity="critical", limit=1000)["alerts"]
    alert = next(each for each in alerts if "describe-instances" in each["rrn"] and "i-0bad" not in each["rrn"])
    return {
        "overview": "/console/",
        "investigate": f"/console/investigate?query={quote(QUERY)}",
        "alerts": "/console/alerts",
        "alert": f"/console/alerts/{alert['id']}",
        "resource": f"/console/resource?rrn={quote(alert['rrn'])}",
        "integrations": "/console/settings/integrations",
        "integrations-new": "/console/settings/integrations/new",
        "integration": "/console/settings/integrations/out/soc-splunk",
        "rules": "/console/rules",
        "rule": "/console/rules/tickets",
        "policies": "/console/policies",
        "policy": "/console/policies/aws-guardduty-host-public",
        "templates": "/console/templates",
        "template": "/console/templates/ticket",
        "accounts": "/console/accounts",
        "letters": "/console/letters",
        "letter": f"/console/letters/{letter['id']}",
        "snapshots": "/console/snapshots",
        "users": "/console/users",
        "log": "/console/log",
    }
