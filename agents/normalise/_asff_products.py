"""What differs between the products that write ASFF: names, types, ids, scores, and what archived means."""

from collections.abc import Mapping
from typing import Any

from agents.normalise import _arn
from agents.normalise._fields import MAX_ID, MAX_WORD, optional_object
from agents.normalise._guardduty_types import finding_type
from agents.normalise._vulnerability import line, objects, score, texts
from streams.records import FindingStatus

Item = Mapping[str, Any]


class Product:
    """Any product: Security Hub's own controls, AWS's and partners' products, and a company's own."""

    scored = False
    """Its number of 0 to 10 is what its severity comes from."""
    archived: FindingStatus = "fixed"
    """What an archived finding is."""

    def __init__(self, source: str) -> None:
        self.source = source

    def id(self, item: Item, id: str) -> str:
        """Return what is unique: other products' ids are, together with the product."""
        if id.startswith("arn:"):
            return id
        whole = f"{line(item.get('ProductArn'))}/{id}"
        return whole if len(whole) <= MAX_ID else id

    def name(self, item: Item, ids: list[str]) -> str:
        """Return finding.name: the CVE id, or the check's."""
        compliance = optional_object(item, "Compliance")
        if ids and not compliance:
            return ids[0]
        control = compliance.get("SecurityControlId")
        fields = optional_object(item, "ProductFields")
        for one in (control, fields.get("ControlId"), fields.get("RuleId"), item.get("GeneratorId"), item.get("Title")):
            if found := line(one):
                return found
        return line(item.get("Id"), "finding")

    def title(self, item: Item, title: str) -> str:
        """Return the title, made-up findings marked."""
        sample = item.get("Sample") is True
        return f"[SAMPLE] {title}" if sample and "[SAMPLE]" not in title else title

    def type(self, item: Item, found: list[Item], vulnerabilities: list[dict[str, Any]]) -> str:
        """Return finding.type."""
        types = texts(item.get("Types"))
        first = types[0] if types else ""
        if "/Network Reachability" in first:
            return "Network Reachability"
        if item.get("Compliance"):
            return "Compliance"
        if vulnerabilities or "/Vulnerabilities/" in first:
            return vulnerability_type(line(found[0].get("Type")) if found else "")
        if first.startswith("Software and Configuration Checks"):
            return "Compliance"
        return first.partition("/")[0][:MAX_WORD] or "Security Hub"

    def score(self, item: Item, given: Item, provided: Item) -> float | None:
        """Return the vendor's number of 0 to 10."""
        return None

    def status(self, item: Item) -> tuple[FindingStatus, str] | None:
        """Return what the product's own fields say, if they say anything."""
        return None


class _GuardDuty(Product):
    scored = True
    archived: FindingStatus = "suppressed"

    def name(self, item: Item, ids: list[str]) -> str:
        """Return GuardDuty's own type, which ASFF writes `TTPs/Persistence/Persistence:IAMUser-NetworkPermissions`."""
        for one in texts(item.get("Types")):
            last = one.rpartition("/")[2]
            purpose, colon, rest = last.partition(":")
            affected, dash, what = rest.partition("-")
            if colon and dash:
                return f"{purpose}:{affected}/{what}"
        return super().name(item, ids)

    def title(self, item: Item, title: str) -> str:
        fields = optional_object(item, "ProductFields")
        value = fields.get("aws/guardduty/service/additionalInfo/value")
        sample = fields.get("aws/guardduty/service/additionalInfo/sample") in ("true", True) or (
            type(value) is str and '"sample":true' in value.replace(" ", "")
        )
        if sample and "[SAMPLE]" not in title:
            return f"[SAMPLE] {title}"
        return super().title(item, title)

    def type(self, item: Item, found: list[Item], vulnerabilities: list[dict[str, Any]]) -> str:
        return finding_type(self.name(item, []), _RESOURCE_TYPES.get(line(found[0].get("Type")) if found else "", ""))

    def score(self, item: Item, given: Item, provided: Item) -> float | None:
        for one in (provided.get("Original"), given.get("Original"), given.get("Product")):
            if (number := score(one)) is not None:
                return number
        return None


class _Inspector(Product):
    def score(self, item: Item, given: Item, provided: Item) -> float | None:
        return score(optional_object(item, "ProductFields").get("aws/inspector/inspectorScore"))

    def name(self, item: Item, ids: list[str]) -> str:
        """Return the vulnerability's id, with which Inspector begins its titles: `CVE-2023-1255 - openssl`."""
        head, dash, _ = line(item.get("Title")).partition(" - ")
        vulnerabilities = item.get("Vulnerabilities")
        first = next(iter(objects(vulnerabilities)), {})
        if own := line(first.get("Id")):
            return own
        return head if dash and head and " " not in head else super().name(item, ids)

    def status(self, item: Item) -> tuple[FindingStatus, str] | None:
        told = line(optional_object(item, "ProductFields").get("aws/inspector/FindingStatus"))
        return (_INSPECTED[told], told) if told in ("CLOSED", "SUPPRESSED") else None


def product_of(item: Item) -> Product:
    """Return the product that wrote *item*."""
    arn = _arn.parse(line(item.get("ProductArn")))
    path = arn.resource.removeprefix("product/") if arn else ""
    if path in _KNOWN:
        return _KNOWN[path]
    fields = optional_object(item, "ProductFields")
    own = path.endswith("/default") or not path
    names = (item.get("ProductName"), fields.get("aws/securityhub/ProductName"), fields.get("ProviderName"))
    if name := next((found for one in names if (found := line(one)) and found != "Default"), ""):
        return Product(name[:MAX_WORD])
    return Product("AWS Security Hub" if own else path.rpartition("/")[2][:MAX_WORD] or "AWS Security Hub")


def vulnerability_type(resource: str) -> str:
    """Return finding.type of a vulnerable package in a *resource*, by ASFF's or Inspector's name of its type."""
    return _VULNERABLE.get(resource, "Host Vulnerability")


_INSPECTED: Mapping[str, FindingStatus] = {"CLOSED": "fixed", "SUPPRESSED": "suppressed"}
_VULNERABLE = {
    "AwsEcrContainerImage": "Package Vulnerability",
    "AwsLambdaFunction": "Serverless Vulnerability",
    "AWS_ECR_CONTAINER_IMAGE": "Package Vulnerability",
    "AWS_ECR_REPOSITORY": "Package Vulnerability",
    "AWS_LAMBDA_FUNCTION": "Serverless Vulnerability",
    "CODE_REPOSITORY": "Package Vulnerability",
    "Microsoft.ContainerRegistry/registry/containerImage": "Package Vulnerability",
    "artifactregistry.googleapis.com/DockerImage": "Package Vulnerability",
    "Microsoft.Web/sites": "Serverless Vulnerability",
    "cloudfunctions.googleapis.com/Function": "Serverless Vulnerability",
}
_RESOURCE_TYPES = {
    "AwsEc2Instance": "Instance",
    "AwsIamAccessKey": "AccessKey",
    "AwsS3Bucket": "S3Bucket",
    "AwsEksCluster": "EKSCluster",
    "AwsEcsCluster": "ECSCluster",
    "Container": "Container",
    "AwsLambdaFunction": "Lambda",
    "AwsRdsDbInstance": "RDSDBInstance",
}
"""What GuardDuty itself calls the resources that ASFF names, for types that tell no more than Runtime."""

_KNOWN = {
    "aws/guardduty": _GuardDuty("AWS GuardDuty"),
    "aws/inspector": _Inspector("AWS Inspector"),
    "aws/securityhub": Product("AWS Security Hub"),
    "aws/macie": Product("AWS Macie"),
    "aws/access-analyzer": Product("AWS IAM Access Analyzer"),
    "aws/firewall-manager": Product("AWS Firewall Manager"),
    "aws/config": Product("AWS Config"),
    "aws/health": Product("AWS Health"),
    "aws/ssm-patch-manager": Product("AWS Systems Manager"),
    "qualys/qualys-vm": Product("Qualys"),
    "tenable/tenable-io": Product("Tenable"),
}
