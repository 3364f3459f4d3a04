"""sql.md: the tables that SQL asks, each column with its type and meaning, from the store's own DDL."""

import duckdb

from queries.jail import INSIDE
from streams.store.schema import DDL

EXAMPLES = (
    ("what each account has", "select account, api_name, count(*) from resources where not deleted group by all"),
    (
        "documents of one API, which is a table of its own, by its name in double quotes",
        """select id, json ->> '$.state.name' as state from "aws-ec2-describe-instances" where not deleted""",
    ),
    (
        "resources with an open critical finding",
        "select r.name, f.name from resources r join finding_resource using (rid) join findings f using (fid)"
        " where f.severity = 'critical' and f.status = 'open' and not f.deleted",
    ),
    ("open alerts by policy", "select policy_name, count(*) from alerts where status = 'open' group by all"),
)

TABLES = {
    "resources": "Every resource, the deleted ones too. A table for each api.name has the same columns.",
    "findings": "Every finding.",
    "finding_resource": "Which finding is about which resource.",
    "alerts": "Every alert.",
}

_WORDS = {
    "rid": "the resource's number here",
    "fid": "the finding's number here",
    "rrn": "the resource's name in all the world",
    "account": "the cloud account",
    "cloud": "aws, azure, gcp or alibaba",
    "region": "the provider's id of the region, or global",
    "service": "the provider's service",
    "api_name": "the API that the resource was read from",
    "resource_type": "the provider's type",
    "id": "the id that its provider or vendor gives it",
    "name": "its name",
    "tags": "key to value",
    "created": "when it came to be",
    "seen": "when its configuration was read last",
    "deleted": "whether it is gone",
    "json": "the configuration",
    "source": "the product that reported it",
    "type": "the kind of finding",
    "cves": "the CVEs that it is about",
    "severity": "critical, high, medium, low or informational",
    "vendor_severity": "in the vendor's own words",
    "score": "the vendor's score",
    "title": "one line",
    "description": "what is wrong",
    "remediation": "how to mend it",
    "status": "of a finding: open, fixed, suppressed; of an alert: open, resolved, dismissed, snoozed",
    "status_reason": "why it has its status",
    "first_seen": "when it was seen first",
    "last_seen": "when it was seen last",
    "reopened": "when it came back",
    "references": "what it names as being about",
    "policy": "the policy's id",
    "policy_name": "the policy's name",
    "reason": "why it has its status",
    "resource": "the resource's id",
    "opened": "when it was opened last",
    "updated": "when it changed last",
    "seq": "how often it has changed",
    "asset": "the vendor's asset that it is about",
    "cvss": "the scores by version of CVSS",
    "packages": "the packages that it is about",
}


def page() -> str:
    """Return the page as Markdown."""
    lines = [
        "# SQL",
        "",
        "Printed from the store's tables by `make docs`; don't edit it here.",
        "",
        "`tidegate sql QUERY` and `POST /sql` answer one SELECT, DESCRIBE, SHOW, SUMMARIZE or EXPLAIN of DuckDB,",
        "on a snapshot: the newest, or that of `--as-of`. A statement runs in a process of its own with no way to",
        "files, network or settings; it is stopped after 60 seconds or at 2 GiB of memory, and answers at most as many",
        "rows as `--limit` says. Times are UTC.",
        "",
    ]
    for about, text in EXAMPLES:
        lines += [f"{about[0].upper()}{about[1:]}:", "", "```sql", text, "```", ""]
    with duckdb.connect() as connection:
        connection.execute(DDL)
        for table, about in TABLES.items():
            lines += [f"## {table}", "", about, "", "| column | type | what |", "|---|---|---|"]
            for name, type_, *_ in connection.execute(f"describe {table}").fetchall():
                if name not in INSIDE:
                    lines.append(f"| `{name}` | `{type_}` | {_WORDS.get(name, '')} |")
            lines.append("")
    return "\n".join(lines)
