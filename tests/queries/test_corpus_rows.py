"""Joins, counts and attributes over the corpus of real configurations: each finds what plain Python finds."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import pytest

from queries import run
from tests.queries.corpus import CONFIGS, NOW, Corpus, Doc, Resource, at, each, met

pytestmark = pytest.mark.skipif(not CONFIGS.exists(), reason="the corpus of real configurations isn't here")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Corpus]:
    with Corpus.open(tmp_path_factory.mktemp("corpus")) as found:
        yield found


def joined(corpus: Corpus, x: str, y: str, pair: Callable[[Doc, Doc], bool], *, missing: bool = False) -> list[str]:
    """Return the resources of *x* that have a partner of *y*, or that have none."""
    found = []
    for one in corpus.of(x):
        partners = [other for other in corpus.of(y) if met(lambda doc, other=other: pair(doc, other.doc), one.doc)]  # type: ignore[misc] # mypy takes the default for a second argument
        if bool(partners) is not missing:
            found.append(one.rrn)
    return found


def groups(doc: Doc) -> list[str]:
    """Return the ids of the security groups of an instance or interface."""
    return [g["groupId"] for key in ("securityGroups", "groups") for g in each(doc, key)]


def clauses(*parts: str) -> str:
    """Return the clauses of a join, named X, Y, Z."""
    return "; ".join(f"config from cloud.resource where {p} as {name}" for p, name in zip(parts, "XYZ", strict=False))


def api(name: str, rule: str = "") -> str:
    """Return the conditions of a clause."""
    return f"api.name = '{name}'" + (f" AND json.rule = {rule}" if rule else "")


def rrns(resources: Iterable[Resource]) -> list[str]:
    """Return their rrns."""
    return [resource.rrn for resource in resources]


VM, SG, NIC = "aws-ec2-describe-instances", "aws-ec2-describe-security-groups", "aws-ec2-describe-network-interfaces"
VPC, FLOW, GATEWAY = "aws-ec2-describe-vpcs", "aws-ec2-describe-flow-logs", "aws-ec2-describe-internet-gateways"
IMAGE, SUBNET, USER = "aws-ec2-describe-images", "aws-ec2-describe-subnets", "aws-iam-list-users"
GVM, GSUB, VAULT = "gcloud-compute-instances-list", "gcloud-compute-networks-subnets-list", "azure-key-vault-list"

QUERIES: tuple[tuple[str, Callable[[Corpus], list[str]]], ...] = (
    (
        f"{clauses(api(VPC), api(FLOW))}; filter ' not ($.Y.resourceId equals $.X.vpcId)'; show X;",
        lambda c: joined(c, VPC, FLOW, lambda x, y: x["vpcId"] == y["resourceId"], missing=True),
    ),
    (
        f"{clauses(api(FLOW), api(VM))}; filter '$.X.resourceId==$.Y.vpcId'; show X;",
        lambda c: joined(c, FLOW, VM, lambda x, y: x["resourceId"] == y["vpcId"]),
    ),
    (
        f"{clauses(api(SG), api(VM))}; filter ' not ($.Y.securityGroups[*].groupId contains $.X.groupId) '; show X;",
        lambda c: joined(c, SG, VM, lambda x, y: x["groupId"] in groups(y), missing=True),
    ),
    (
        f"{clauses(api(SG), api(VM))}; filter '$.Y.securityGroups[*].groupId contains $.X.groupId'; show X;",
        lambda c: joined(c, SG, VM, lambda x, y: x["groupId"] in groups(y)),
    ),
    (
        f"{clauses(api(SG), api(VM))}; filter '$.Y.securityGroups[*].groupId contains $.X.groupId'; show Y;",
        lambda c: joined(c, VM, SG, lambda x, y: y["groupId"] in groups(x)),
    ),
    (
        f"{clauses(api(NIC), api(SG))};filter X.groups[*].groupId intersects Y.groupId and Y.groupName == default",
        lambda c: joined(c, NIC, SG, lambda x, y: y["groupId"] in groups(x) and y["groupName"] == "default"),
    ),
    (
        f"{clauses(api(VM), api(IMAGE))}; filter ' $.X.imageId==$.Y.image.imageId '; show X;",
        lambda c: joined(c, VM, IMAGE, lambda x, y: x["imageId"] == at(y, "image.imageId")),
    ),
    (
        f"{clauses(api(VM), api(SUBNET, 'mapPublicIpOnLaunch is true'))}; filter X.subnetId equals Y.subnetId; show X",
        lambda c: joined(
            c, VM, SUBNET, lambda x, y: y["mapPublicIpOnLaunch"] is True and x["subnetId"] == y["subnetId"]
        ),
    ),
    (
        f"{clauses(api(GVM), api(GSUB))}; filter '$.X.networkInterfaces[*].subnetwork contains $.Y.selfLink'; show Y;",
        lambda c: joined(
            c, GSUB, GVM, lambda x, y: any(x["selfLink"] in n["subnetwork"] for n in each(y, "networkInterfaces"))
        ),
    ),
    (
        f"{clauses(api(VM), api(SG), api(GATEWAY))}; filter '$.X.securityGroups[*].groupId contains $.Y.groupId and "
        "$.Z.attachments[*].vpcId contains $.X.vpcId'; show X;",
        lambda c: sorted(
            set(joined(c, VM, SG, lambda x, y: y["groupId"] in groups(x)))
            & set(joined(c, VM, GATEWAY, lambda x, y: x["vpcId"] in [a["vpcId"] for a in each(y, "attachments")]))
        ),
    ),
    (f"{clauses(api(VPC), api('no-such-api'))}; filter 'not ($.X.vpcId equals $.Y.vpcId)'", lambda c: rrns(c.of(VPC))),
    (f"{clauses(api(VPC), api('no-such-api'))}; show X", lambda _: []),
    (
        "config where cloud.type = 'gcp' and cloud.region = 'us-central1'",
        lambda c: rrns(r for r in c.all if r.cloud == "gcp" and r.region == "us-central1"),
    ),
    (
        "config where cloud.type = 'aws' AND cloud.region NOT IN ('AWS Virginia', 'AWS Oregon', 'AWS Global')",
        lambda c: rrns(r for r in c.all if r.cloud == "aws" and r.region not in ("us-east-1", "us-west-2", "global")),
    ),
    (
        "config where cloud.region = 'Azure South Central US'",
        lambda c: rrns(r for r in c.all if r.region == "southcentralus"),
    ),
    (
        f"config where cloud.account != '644160558196' AND {api(VM)}",
        lambda c: rrns(r for r in c.of(VM) if r.account != "644160558196"),
    ),
    (f"config where tag('Name') exists and {api(VM)}", lambda c: rrns(r for r in c.of(VM) if "Name" in r.tags)),
    (
        f"config where azure.resource.group = 'TEST_KEYVAULT' and {api(VAULT)}",
        lambda c: rrns(r for r in c.of(VAULT) if "/resourcegroups/test_keyvault/" in r.doc["id"].lower()),
    ),
)


@pytest.mark.parametrize(("query", "want"), QUERIES, ids=[query[-90:] for query, _ in QUERIES])
def test_a_query_finds_what_python_finds(corpus: Corpus, query: str, want: Callable[[Corpus], list[str]]) -> None:
    assert corpus.ask(query) == sorted(want(corpus))


def test_most_of_these_queries_find_something(corpus: Corpus) -> None:
    assert sum(bool(want(corpus)) for _, want in QUERIES) >= 12


def test_a_count_tells_the_regions_that_have_too_few(corpus: Corpus) -> None:
    places = {(r.account, r.region) for r in corpus.all if r.cloud == "aws" and r.region not in ("", "global")}
    trails = corpus.of("aws-cloudtrail-describe-trails")
    have = {(r.account, r.region) for r in trails if r.doc.get("isMultiRegionTrail")}
    rule = api("aws-cloudtrail-describe-trails", "isMultiRegionTrail is true")
    answer = run(corpus.connection, f"config where {rule} as X; count(X) less than 1", now=NOW, limit=5000)
    assert answer.columns == ("account", "region", "count")
    assert answer.rows == [(account, region, 0) for account, region in sorted(places - have)]
    assert have & places and places - have


def test_a_count_of_a_global_service_is_by_account(corpus: Corpus) -> None:
    users = Counter(r.account for r in corpus.of(USER))
    answer = run(corpus.connection, f"config where {api(USER)} as X; count(X) greater than 1", now=NOW)
    assert answer.rows == [(account, "global", count) for account, count in sorted(users.items()) if count > 1]
    assert answer.rows
