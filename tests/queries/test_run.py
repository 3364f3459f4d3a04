"""Queries find the resources that they mean."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import duckdb
import pytest

from queries import Answer, RqlError, run
from tests.queries.small import store

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def tables() -> Iterator[duckdb.DuckDBPyConnection]:
    with store() as connection:
        yield connection


def ask(tables: duckdb.DuckDBPyConnection, where: str, limit: int = 100, offset: int = 0) -> Answer:
    return run(tables, f"config from cloud.resource where {where}", now=NOW, limit=limit, offset=offset)


def names(answer: Answer) -> str:
    return " ".join(str(row[answer.columns.index("name")]) for row in answer.rows)


SG = "api.name = 'aws-ec2-describe-security-groups' AND json.rule = "


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("cloud.type = 'azure'", "v1"),
        ("cloud.type IN ( 'AWS' , 'azure' ) and cloud.account = '222222222222'", "ann i-3 sg-none"),
        ("cloud.type != 'aws'", "v1"),
        ("cloud.region = 'AWS Ohio'", "i-1 i-2"),
        ("cloud.region = 'azure west europe'", "v1"),
        ("cloud.region NOT IN ('AWS Ohio', 'AWS Virginia') and cloud.type = aws", "ann i-3 sg-none"),
        ("cloud.service = 'EC2' and cloud.account = '111111111111'", "i-1 i-2 sg-open sg-split"),
        ("cloud.service = 'S3'", ""),
        ("azure.resource.group = 'web'", "v1"),
        ("resource.status = Deleted", "sg-gone"),
        ("resource.status = 'active' and cloud.region = 'eu-west-1'", "i-3 sg-none"),
        ("cloud.region = 'eu-west-1'", "i-3 sg-none"),
        ("resource.status in (active, deleted) and cloud.region = 'eu-west-1'", "i-3 sg-gone sg-none"),
        ("tag('owner') = 'web'", "i-1"),
        ("tag('owner') in ('web', 'net')", "i-1 sg-open"),
        ("tag('owner') != 'web' and cloud.region = 'us-east-2'", "i-2"),
        ("tag('owner') exists", "i-1 sg-none sg-open"),
        ("tag('owner') does not exist and cloud.region = 'us-east-1'", "sg-split"),
        (SG + "ipPermissions[?any( fromPort equals 22 and ipRanges[*] contains 0.0.0.0/0 )] exists", "sg-open"),
        (
            SG + "ipPermissions[*].fromPort equals 22 and ipPermissions[*].ipRanges[*] contains 0.0.0.0/0",
            "sg-open sg-split",
        ),
        (SG + "'isShared is true'", "sg-none"),
        (SG + '"groupName equals "sg-none""', "sg-none"),
        ("json.rule = 'state.name equals running' and cloud.account = '111111111111'", "i-1"),
        ("not json.rule = 'groupName exists or state exists' and cloud.type = 'aws'", "ann"),
        ("json.rule = publicIp exists", "i-1"),
        ("json.rule = tags[?(@.key=='a.b')] exists", "i-2"),
        ("json.rule = ['properties.osProfile'].computerName equals v1", "v1"),
        ("finding.type = 'AWS GuardDuty Host'", "i-1 i-2"),
        ("finding.type = 'AWS GuardDuty IAM '", "ann"),
        ("finding.type = 'AWS GuardDuty'", "ann i-1 i-2"),
        ("finding.source = 'AWS Guard Duty' and finding.severity = 'HIGH'", "ann i-1"),
        ("hostfinding.type = 'Host Vulnerability'", "i-3"),
        ("finding.type in ('Qualys', 'AWS GuardDuty IAM')", "ann i-3"),
        ("finding.name = 'CVE-2021-44228'", "i-3"),
        ("finding.name = 'CVE-2016-8399'", ""),
        ("finding.severity NOT IN ( 'low', 'informational', 'medium' )", "ann i-1 i-3"),
        ("not finding.severity = 'low' and api.name = 'aws-ec2-describe-instances'", "i-3"),
        ("finding.name = 'Recon:EC2/Portscan' and finding.severity = 'high'", ""),
        ("finding.name = 'Recon:EC2/Portscan' and (finding.severity = 'high' or finding.severity = 'low')", "i-1 i-2"),
        ("finding.severity = 'high' and json.rule = state.name equals running", "i-1"),
        (
            "(resource.status = deleted or cloud.account = '111111111111') and finding.severity = 'high' "
            "and json.rule = state.name exists",
            "i-1",
        ),
        ("finding.severity = 'high' and (json.rule = 'state exists' or tag('x') exists)", "i-1"),
        ("cloud.region = 'us-east-1' or finding.severity = 'critical'", "i-3 sg-open sg-split"),
    ],
)
def test_a_query_finds_what_it_means(tables: duckdb.DuckDBPyConnection, where: str, found: str) -> None:
    assert names(ask(tables, where)) == found


def test_both_prefixes_are_one_language(tables: duckdb.DuckDBPyConnection) -> None:
    old, new = (f"{prefix} cloud.type = 'azure'" for prefix in ("config where", "config from cloud.resource where"))
    assert run(tables, old, now=NOW).rows == run(tables, new, now=NOW).rows


def test_a_finding_query_shows_the_worst_finding_that_met_it(tables: duckdb.DuckDBPyConnection) -> None:
    answer = ask(tables, "finding.source = 'AWS GuardDuty' and api.name = 'aws-ec2-describe-instances'")
    assert answer.columns[-5:] == ("finding.severity", "finding.type", "finding.source", "finding.name", "findings")
    assert [row[-5:] for row in answer.rows] == [
        ("high", "AWS GuardDuty Host", "AWS GuardDuty", "Trojan:EC2/BlackholeTraffic!DNS", 2),
        ("low", "AWS GuardDuty Host", "AWS GuardDuty", "Recon:EC2/Portscan", 1),
    ]


def test_addcolumn_adds_values_of_the_document(tables: duckdb.DuckDBPyConnection) -> None:
    answer = ask(tables, "json.rule = state exists addcolumn state.name $.tags[*].key publicIp")
    assert answer.columns[-3:] == ("state.name", "$.tags[*].key", "publicIp")
    assert [row[-3:] for row in answer.rows] == [
        ("running", [], None),
        ("stopped", ["a.b"], None),
        ("Running", [], None),
    ]


def test_pages_join_up_and_know_the_total(tables: duckdb.DuckDBPyConnection) -> None:
    whole = ask(tables, "cloud.type = 'aws'")
    assert (whole.total, whole.whole) == (7, True)
    pages = [ask(tables, "cloud.type = 'aws'", limit=3, offset=offset) for offset in (0, 3, 6, 9)]
    assert [row for page in pages for row in page.rows] == whole.rows
    assert [(page.total, page.whole) for page in pages] == [(7, False)] * 4


def test_a_limit_in_the_query_cuts_the_answer(tables: duckdb.DuckDBPyConnection) -> None:
    answer = ask(tables, "cloud.type = 'aws'; limit search records to 2")
    assert (len(answer.rows), answer.total, answer.whole) == (2, 7, False)
    assert len(ask(tables, "cloud.type = 'aws'; limit search records to 2", limit=5, offset=1).rows) == 1


def test_an_unknown_api_name_is_noticed(tables: duckdb.DuckDBPyConnection) -> None:
    answer = ask(tables, "api.name = 'aws-ec2-describe-instance'")
    assert answer.rows == []
    assert answer.notes == (
        "no resource has api.name 'aws-ec2-describe-instance': did you mean aws-ec2-describe-instances?",
    )


def test_a_path_that_no_document_has_is_noticed_where_one_is_almost_the_same(tables: duckdb.DuckDBPyConnection) -> None:
    answer = ask(tables, "api.name = 'aws-ec2-describe-instances' and json.rule = state.nme equals running")
    assert answer.notes == ("no resource of aws-ec2-describe-instances has state.nme: did you mean state.name?",)
    assert ask(tables, "api.name = 'aws-ec2-describe-instances' and json.rule = state.name equals gone").notes == ()
    assert ask(tables, "api.name = 'aws-ec2-describe-instances' and json.rule = wholly.different exists").notes == ()


@pytest.mark.parametrize(
    "value", ["'; drop table resources; --", '" or 1=1 --', "\\", "a\0b", "select", "$1", "?", "{0}", "%s", "]}'", "/*"]
)
def test_values_and_keys_stay_data(tables: duckdb.DuckDBPyConnection, value: str) -> None:
    written = '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    for where in (f"api.name = {written}", f"tag({written}) = {written}", f"json.rule = [{written}] equals {written}"):
        assert ask(tables, where).rows == []
    tables.execute(
        "insert into resources by name select 1 rid, 'rrn:odd' rrn, 'odd' as name, false deleted, ?::json json",
        (json.dumps({value: value}),),
    )
    assert names(ask(tables, f"json.rule = [{written}] equals {written}")) == "odd"
    tables.execute("delete from resources where name = 'odd'")


def test_a_query_that_takes_too_long_is_stopped() -> None:
    texts = ", ".join(f"'' {name}" for name in ("account", "region", "api_name", "id", "name"))
    row = f"i::ubigint rid, i::varchar rrn, {texts}, false deleted, json_object('i', i) json"
    with duckdb.connect() as slow:
        slow.execute(f"create view resources as select {row} from range(1000000000000) t(i)")
        with pytest.raises(RqlError, match=r"no answer within 0\.2 seconds"):
            run(slow, "config where json.rule = i equals text", now=NOW, timeout=0.2)
