"""Every screen of the console, with an address that shows it filled: for pictures, accessibility, hostile names."""

from urllib.parse import quote

from tests.console.stage import Up

QUERY = "config from cloud.resource where cloud.type = 'aws' AND api.name = 'aws-ec2-describe-instances'"


def screens(up: Up) -> dict[str, str]:
    """Return addresses by the name of the picture. A new screen is one line here."""
    alert = up.client.get("/alerts", limit=1000)["alerts"]
    hostile = next((each for each in alert if "i-0bad" in each["rrn"]), alert[0])
    return {
        "overview": "/console/",
        "investigate": f"/console/investigate?query={quote(QUERY)}",
        "alerts": "/console/alerts",
        "alert": f"/console/alerts/{hostile['id']}",
        "resource": f"/console/resource?rrn={quote(hostile['rrn'])}",
    }
