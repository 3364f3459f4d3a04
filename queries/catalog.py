"""Every attribute that stands outside json.rule, stated once: its words, what it looks at, how its values are read.

The names that Prisma Cloud shows and those that the tables hold are brought together in names.py.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from queries import names
from queries.syntax import Attribute

Looks = Literal["resource", "finding", "tag"]


@dataclass(frozen=True, slots=True)
class AttributeKind:
    """One attribute. *column* is SQL over `r` (resources) or `f` (findings) that gives a text; *read* turns a value
    into the texts that it stands for. *argument*: it takes a key in brackets.
    """

    name: str
    doc: str
    example: str
    looks: Looks = "resource"
    column: str = ""
    read: Callable[[str], tuple[str, ...]] = lambda text: (text,)
    argument: bool = False


def _lower(text: str) -> tuple[str, ...]:
    return (" ".join(text.lower().split()),)


_KINDS = (
    AttributeKind(
        "api.name",
        "The provider's API that the resource was read from.",
        "config from cloud.resource where api.name = 'aws-ec2-describe-instances'",
        column="r.api_name",
        read=lambda text: (text.strip(),),
    ),
    AttributeKind(
        "cloud.type",
        "The provider: aws, azure, gcp, alibaba_cloud, in any case.",
        "config from cloud.resource where cloud.type = 'aws'",
        column="r.cloud",
        read=names.cloud,
    ),
    AttributeKind(
        "cloud.account",
        "The cloud account.",
        "config from cloud.resource where cloud.account = '123456789012'",
        column="r.account",
        read=lambda text: (text.strip(),),
    ),
    AttributeKind(
        "cloud.account.group",
        "A group of accounts; so far every account is in the `Default Account Group`.",
        "config from cloud.resource where cloud.account.group = 'Default Account Group'",
        column="'default account group'",
        read=_lower,
    ),
    AttributeKind(
        "cloud.accountgroup",
        "Another spelling of cloud.account.group.",
        "config from cloud.resource where cloud.accountgroup = 'Default Account Group'",
        column="'default account group'",
        read=_lower,
    ),
    AttributeKind(
        "cloud.region",
        "The region, by the name that people know or by the provider's id.",
        "config from cloud.resource where cloud.region in ('AWS Ohio', 'eu-west-1')",
        column="r.region",
        read=names.region,
    ),
    AttributeKind(
        "cloud.service",
        "The provider's service; the provider's name may be left out, case doesn't count.",
        "config from cloud.resource where cloud.service = 'EC2'",
        column="lower(r.service)",
        read=names.service,
    ),
    AttributeKind(
        "resource.type",
        "The type of the resource, by the name that people know or by the provider's; case doesn't count.",
        "config from cloud.resource where resource.type in ('EC2 Instance', 'AWS::EC2::SecurityGroup')",
        column="lower(regexp_replace(r.resource_type, '[^A-Za-z0-9]', '', 'g'))",
        read=names.resource_type,
    ),
    AttributeKind(
        "resource.status",
        "Active or Deleted. A query that doesn't ask for it finds active resources only.",
        "config from cloud.resource where resource.status = Deleted",
        column="case when r.deleted then 'deleted' else 'active' end",
        read=_lower,
    ),
    AttributeKind(
        "azure.resource.group",
        "The Azure resource group, from the resource's id; case doesn't count.",
        "config from cloud.resource where azure.resource.group = 'web'",
        column="lower(regexp_extract(r.id, '/resourcegroups/([^/]+)', 1, 'i'))",
        read=_lower,
    ),
    AttributeKind(
        "tag",
        "A tag of the resource, by its key; `tag(Any)` is some tag, `tag(All)` every one, where there is one.",
        "config from cloud.resource where tag('owner') = 'payments'",
        looks="tag",
        argument=True,
    ),
    AttributeKind(
        "finding.type",
        "The type of a finding about the resource; the name of a product means its source.",
        "config from cloud.resource where finding.type = 'AWS GuardDuty Host'",
        looks="finding",
        column="f.type",
        read=names.finding_type,
    ),
    AttributeKind(
        "finding.severity",
        "The severity of a finding about the resource: critical, high, medium, low, informational.",
        "config from cloud.resource where finding.severity in ('critical', 'high')",
        looks="finding",
        column="f.severity",
        read=_lower,
    ),
    AttributeKind(
        "finding.source",
        "The product that reported a finding about the resource.",
        "config from cloud.resource where finding.source = 'AWS GuardDuty'",
        looks="finding",
        column="f.source",
        read=names.source,
    ),
    AttributeKind(
        "finding.name",
        "The name of a finding about the resource, or a CVE id that it is about.",
        "config from cloud.resource where finding.name = 'CVE-2021-44228'",
        looks="finding",
        column="f.name",
        read=lambda text: (text.strip(),),
    ),
)

ATTRIBUTES = (
    {kind.name: kind for kind in _KINDS}
    | {"host" + kind.name: kind for kind in _KINDS if kind.looks == "finding"}
    | {"protection.finding.name": next(kind for kind in _KINDS if kind.name == "finding.name")}
)
"""Every attribute by the name that a query gives it; hostfinding.* are the names of 2019."""

STATUSES = ("active", "deleted")
SEVERITIES = ("critical", "high", "medium", "low", "informational")


def kind_of(attribute: Attribute) -> AttributeKind:
    """Return the entry of *attribute*."""
    return ATTRIBUTES[attribute.name]
