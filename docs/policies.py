"""policies.md: what a policy's file says, and every shipped policy."""

from collections.abc import Iterator

from queries.policy import SHIPPED, Policy, Requirement, by_severity, load


def page() -> str:
    """Return the page as Markdown."""
    policies = by_severity(load(SHIPPED))
    lines = [
        "# Policies",
        "",
        "Printed from `queries/policies/` by `make docs`; don't edit it here.",
        "",
        "A policy is a question in [RQL](rql.md) with a name and a severity: what it finds violates it. Each is one",
        "YAML file. Your own go into a folder that `TIDEGATE_POLICIES` names; one with the name of a shipped one",
        "replaces it, and with `enabled: false` switches it off. They are read at start; a mistake in one stops the",
        "start and is told.",
        "",
        "```",
        "tidegate policies list",
        "tidegate policies violations",
        f"tidegate policies violations {policies[0].id} --fail",
        "```",
        "",
        "## The file",
        "",
        "| key | needed | what it is |",
        "|---|---|---|",
    ]
    for name, field in Policy.model_fields.items():
        needed = "the file's name" if name == "id" else "yes" if field.is_required() else "no"
        lines.append(f"| `{name}` | {needed} | {field.description} |")
    known = ", ".join(f"`{name}`" for name in Requirement.model_fields)
    lines += [
        "",
        f"Keys that aren't in this table are refused; an entry of `compliance` has {known}. One whole file:",
        "",
    ]
    lines += ["```yaml", _text(policies[-1]), "```", "", "## Those that are shipped", ""]
    lines += ["| policy | severity | name |", "|---|---|---|"]
    lines += [f"| [{each.id}](#{each.id}) | {each.severity} | {each.name} |" for each in policies]
    for each in policies:
        lines += _section(each)
    return "\n".join([*lines, ""])


def _section(policy: Policy) -> Iterator[str]:
    yield from ("", f"### {policy.id}", "", f"{policy.name}. Severity {policy.severity}.", "", policy.description, "")
    yield from (f"To mend it: {policy.recommendation}", "", "```", *_query(policy), "```", "")
    yield f"Labels: {', '.join(policy.labels)}."
    if policy.compliance:
        yield f"Checks {'; '.join(f'{each.standard}, {each.requirement}' for each in policy.compliance)}."


def _query(policy: Policy) -> list[str]:
    """Return the query in the lines of its file."""
    block = _text(policy).partition("\nrql: >-\n")[2].splitlines()
    end = next((number for number, line in enumerate(block) if not line.startswith("  ")), len(block))
    return [line[2:] for line in block[:end]] or [policy.rql]


def _text(policy: Policy) -> str:
    return (SHIPPED / f"{policy.id}.yaml").read_text(encoding="utf-8").rstrip()
