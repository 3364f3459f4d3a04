"""What Prisma Cloud calls clouds, regions, services and products, and what the tables call them: data, and how to look
it up.

Each function takes a value as a query gives it and returns every text that the column may hold for it.
"""

import re
from pathlib import Path

import yaml

_CLOUDS = {"alibaba_cloud": "alibaba", "alibaba-cloud": "alibaba"}

_SHOWN: dict[str, dict[str, str]] = yaml.safe_load(
    Path(__file__).with_name("display_names.yaml").read_text(encoding="utf-8")
)
_REGIONS = {shown.lower(): id for shown, id in _SHOWN["regions"].items()}
_REGION_NAMES = {
    (shown.split(" ", 1)[0].lower(), id): shown for shown, id in reversed(tuple(_SHOWN["regions"].items()))
}
_TYPES = {shown.lower(): id for shown, id in _SHOWN["types"].items()}
_API_CLOUDS = (
    ("aws-", "aws"),
    ("azure-", "azure"),
    ("gcloud-", "gcp"),
    ("gcp-", "gcp"),
    ("alibaba-cloud-", "alibaba"),
    ("oci-", "oci"),
    ("ibm-", "ibm"),
)
_GLOBAL_APIS = (
    "aws-iam-",
    "aws-organizations-",
    "aws-account-",
    "aws-cloudfront-",
    "aws-route53-",
    "aws-route53domains-",
    "aws-waf-classic-global-",
    "aws-globalaccelerator-",
    "aws-shield-",
    "aws-support-",
)
_NO_LETTER = re.compile(r"[^a-z0-9]")
_AZURE = re.compile(r"azure\s+(.+)", re.IGNORECASE)
_MAKERS = ("", "amazon ", "aws ", "azure ", "microsoft ", "google ", "google cloud ")

SOURCES = {
    "aws guardduty": "AWS GuardDuty",
    "aws guard duty": "AWS GuardDuty",
    "amazon guardduty": "AWS GuardDuty",
    "guardduty": "AWS GuardDuty",
    "aws_guard_duty": "AWS GuardDuty",
    "aws inspector": "AWS Inspector",
    "amazon inspector": "AWS Inspector",
    "aws_inspector": "AWS Inspector",
    "aws security hub": "AWS Security Hub",
    "azure security center": "Azure Security Center",
    "azure_security_center": "Azure Security Center",
    "tenable": "Tenable",
    "qualys": "Qualys",
    "prisma cloud": "Prisma Cloud",
    "prisma_cloud": "Prisma Cloud",
}
"""The products that report findings: how a query may spell them, in lower case, and finding.source."""

TYPES = {
    "prisma cloud alert": "Prisma Cloud Alert",
    "host vulnerability": "Host Vulnerability",
    "host_vulnerability_cve": "Host Vulnerability",
    "compliance": "Compliance",
    "compliance_issue_cis": "Compliance",
    "aws inspector runtime behavior analysis": "AWS Inspector Runtime Behavior Analysis",
    "aws_inspector_runtime_behavior_analysis": "AWS Inspector Runtime Behavior Analysis",
    "aws inspector security best practices": "AWS Inspector Security Best Practices",
    "aws_inspector_security_best_practices": "AWS Inspector Security Best Practices",
    "aws guardduty host": "AWS GuardDuty Host",
    "aws guard duty host": "AWS GuardDuty Host",
    "aws_guard_duty_host_finding": "AWS GuardDuty Host",
    "aws guardduty iam": "AWS GuardDuty IAM",
    "aws guard duty iam": "AWS GuardDuty IAM",
    "aws_guard_duty_iam_finding": "AWS GuardDuty IAM",
}
"""Types of findings: how a query may spell them, in lower case, and finding.type."""


def cloud(text: str) -> tuple[str, ...]:
    """Return the cloud that *text* means."""
    name = text.strip().lower()
    return (_CLOUDS.get(name, name),)


def region(text: str) -> tuple[str, ...]:
    """Return the region ids that *text* may mean, itself included."""
    name = " ".join(text.split())
    known = _REGIONS.get(name.lower())
    azure = _AZURE.fullmatch(name)
    others = (known,) if known else (azure.group(1).lower().replace(" ", ""),) if azure else ()
    return (text.strip(), *others)


def region_name(cloud: str, id: str) -> str:
    """Return what Prisma Cloud shows for the region *id* of *cloud*, as the tables call both; else *id* itself."""
    return _REGION_NAMES.get((cloud, id), id)


def region_names() -> tuple[str, ...]:
    """Return the names that are shown for regions."""
    return tuple(_SHOWN["regions"])


def resource_type(text: str) -> tuple[str, ...]:
    """Return the types that *text* may mean: letters and digits only, in lower case, `aws` in front of AWS's."""
    name = " ".join(text.lower().split())
    letters = _NO_LETTER.sub("", _TYPES.get(name, name).lower())
    return tuple(dict.fromkeys((letters, "aws" + letters.removeprefix("aws").removeprefix("amazon"))))


def service(text: str) -> tuple[str, ...]:
    """Return the spellings, in lower case, of the service that *text* means: `EC2`, `Amazon EC2`, `AWS EC2`."""
    name = " ".join(text.lower().split())
    bare = next((name.removeprefix(m) for m in _MAKERS[:0:-1] if name.startswith(m)), name)
    return tuple(maker + bare for maker in _MAKERS)


def source(text: str) -> tuple[str, ...]:
    """Return finding.source of the product that *text* means."""
    name = " ".join(text.split())
    return (SOURCES.get(name.lower(), name),)


def finding_type(text: str) -> tuple[str, ...]:
    """Return finding.type as *text* means it."""
    name = " ".join(text.split())
    return (TYPES.get(name.lower(), name),)


def is_product(text: str) -> bool:
    """Tell whether *text*, given as a finding.type, is the name of a product."""
    return " ".join(text.lower().split()) in SOURCES


def api_cloud(api_name: str) -> str:
    """Return the cloud, as the tables call it, of the API *api_name*; empty where its name doesn't say."""
    return next((cloud for prefix, cloud in _API_CLOUDS if api_name.startswith(prefix)), "")


def is_global(api_name: str) -> bool:
    """Tell whether what *api_name* reads belongs to an account as a whole, not to a region of it."""
    return api_cloud(api_name) != "aws" or api_name.startswith(_GLOBAL_APIS)
