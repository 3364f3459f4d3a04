"""Policies in files: what is read, what is refused and how, and what can change their violations."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from queries.errors import PolicyError
from queries.policy import Touches, by_severity, load, load_all, read, touches, violations
from tests.queries.small import store

GOOD = """\
name: Security group without an owner
severity: low
description: Nobody can be asked.
recommendation: Tag it.
rql: >-
  config from cloud.resource where api.name = 'aws-ec2-describe-security-groups'
  and tag('owner') does not exist
"""


def _policy(folder: Path, rql: str = "") -> Path:
    text = GOOD if not rql else GOOD.partition("rql:")[0] + f"rql: |-\n  {rql}\n"
    path = folder / "no-owner.yaml"
    path.write_text(text)
    return path


def test_a_policy_is_its_file_and_its_id_the_files_name(tmp_path: Path) -> None:
    found = load(_policy(tmp_path).parent)
    assert list(found) == ["no-owner"]
    policy = found["no-owner"]
    assert (policy.id, policy.severity, policy.cloud, policy.labels, policy.enabled) == (
        "no-owner",
        "low",
        None,
        (),
        True,
    )


def test_violations_are_the_rows_of_its_query_all_of_them_counted(tmp_path: Path) -> None:
    policy = read(_policy(tmp_path, "config from cloud.resource where tag('owner') exists"))
    answer = violations(store(), policy, datetime(2026, 11, 24, tzinfo=UTC), limit=1)
    assert (answer.total, [row[answer.columns.index("id")] for row in answer.rows]) == (3, ["i-1"])


def test_what_is_wrong_is_told_with_file_field_value_and_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "no-owner.yaml"
    for text, said in (
        (GOOD.replace("severity: low", "severity: hihg"), "severity: 'hihg': did you mean high?"),
        (GOOD + "cloud: mars\n", "cloud: 'mars': one of aws, azure, gcp, alibaba, oci, ibm"),
        (GOOD + "xyz: red\n", "xyz: there is no such key; known: name, severity, cloud, description"),
        (GOOD + "labelz: [x]\n", "labelz: there is no such key; did you mean labels?"),
        (GOOD + "id: other\n", "id: 'other': leave it out, the file's name is the policy's id"),
        (GOOD.replace("severity: low\n", ""), "severity: missing: How bad a violation is."),
        (GOOD.replace("Tag it.", "''"), "recommendation: empty: "),
        (GOOD.replace("Tag it.", "2026"), "recommendation: 2026: wanted text: put it in quotes"),
        (GOOD + "enabled: 'no'\n", "enabled: 'no': true or false"),
        (GOOD + "labels: net\n", "labels: 'net': wanted a list"),
        (
            GOOD + "compliance: [{standard: CIS, requirement: 5.2}]\n",
            "compliance[0].requirement: 5.2: wanted text: put it in quotes",
        ),
        (GOOD + "compliance: [{standard: CIS}]\n", "compliance[0].requirement: missing: Its number or name there."),
        (GOOD + "compliance: [CIS]\n", "compliance[0]: 'CIS': wanted `standard: ...` and `requirement: ...`"),
        (GOOD + "name: again\n", "line 8, name: stands there twice"),
        (GOOD.replace("Tag it.", "Do: tag it."), "line 4, mapping values are not allowed here; a text that holds"),
        ("- a\n", "wanted keys with their values: name, severity"),
        ("", "wanted keys with their values: name, severity"),
    ):
        path.write_text(text)
        with pytest.raises(PolicyError) as raised:
            read(path)
        assert str(raised.value).startswith(f"{path}: {said}"), raised.value


def test_wrong_rql_is_drawn(tmp_path: Path) -> None:
    with pytest.raises(PolicyError) as raised:
        read(_policy(tmp_path, "config from cloud.resource where cloud.tipe = 'aws'"))
    said = str(raised.value)
    assert said.startswith(f"{tmp_path / 'no-owner.yaml'}: rql: ")
    assert "    config from cloud.resource where cloud.tipe = 'aws'\n" + " " * 37 + "^" * 10 in said
    assert "did you mean cloud.type?" in said


def test_a_policy_finds_all_and_so_has_no_limit(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="leave out `limit search records to 5`"):
        read(_policy(tmp_path, "config from cloud.resource where cloud.type = 'aws' limit search records to 5"))


def test_all_that_is_wrong_in_a_folder_is_told_at_once(tmp_path: Path) -> None:
    for name in ("One.yaml", "two.yml", "three.yaml"):
        (tmp_path / name).write_text(GOOD.replace("severity: low", "severity: x"))
    (tmp_path / "README.md").write_text("Not a policy.")
    with pytest.raises(PolicyError) as raised:
        load(tmp_path)
    lines = str(raised.value).splitlines()
    assert len(lines) == 3
    assert "the file's name is the policy's id: lower-case letters" in lines[0]
    assert "rename it to two.yaml" in lines[2]
    with pytest.raises(PolicyError, match="no folder of policies is there"):
        load(tmp_path / "none")


def test_ones_own_policy_replaces_the_shipped_one_of_its_id(tmp_path: Path) -> None:
    (tmp_path / "aws-iam-root-without-mfa.yaml").write_text(GOOD)
    policies = load_all(tmp_path)
    assert policies["aws-iam-root-without-mfa"].severity == "low"
    assert set(policies) == set(load_all())
    assert by_severity(policies)[0].severity == "critical"


SG, VM = "aws-ec2-describe-security-groups", "aws-ec2-describe-instances"


@pytest.mark.parametrize(
    ("where", "api_names", "findings", "needed"),
    [
        (f"api.name = '{SG}' and json.rule = a exists", {SG}, False, False),
        (f"api.name in ('{SG}', '{VM}') and finding.severity = 'high'", {SG, VM}, True, True),
        (f"(api.name = '{SG}' or api.name = '{VM}') and api.name = '{VM}'", {VM}, False, False),
        (f"api.name = '{SG}' or cloud.type = 'aws'", None, False, False),
        (f"api.name != '{SG}'", None, False, False),
        (f"not (api.name = '{SG}')", None, False, False),
        (f"api.name = '{VM}' and not (finding.severity = 'high')", {VM}, True, False),
        ("finding.source = 'AWS GuardDuty'", None, True, True),
        ("finding.source = 'AWS GuardDuty' or cloud.type = 'aws'", None, True, False),
    ],
)
def test_what_can_change_its_violations_is_told_from_the_query(
    tmp_path: Path, where: str, api_names: set[str] | None, findings: bool, needed: bool
) -> None:
    policy = read(_policy(tmp_path, f"config from cloud.resource where {where}"))
    assert touches(policy) == Touches(None if api_names is None else frozenset(api_names), findings, needed)
