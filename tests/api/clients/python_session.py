"""Drives pcpi, as its users do, against a Tidegate by http; prints JSON for the test to look at."""

import json
import sys

from pcpi import saas_session_manager


def main(address: str, key: str, secret: str) -> None:
    """Log in, search page by page, ask for what isn't there."""
    session = saas_session_manager.SaaSSessionManager("test", key, secret, address).create_cspm_session()
    query = "config from cloud.resource where cloud.type = 'aws'"
    found = session.config_search_request({"query": query, "timeRange": {"type": "to_now", "value": "epoch"}})
    policies = session.request("GET", "/v2/policy").status_code
    missing = session.request("GET", "/alert/P-0", status_ignore=[404]).status_code
    told = {"rows": [item["rrn"] for item in found["data"]["items"]], "policies": policies, "missing": missing}
    sys.stdout.write(json.dumps(told))


main(*sys.argv[1:])
