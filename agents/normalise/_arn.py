"""What an ARN tells: partition, service, region, account, and the other names of the same resource."""

from typing import NamedTuple

from agents.normalise._fields import MAX_ID, MAX_WORD


class Arn(NamedTuple):
    """The parts of an ARN; all but *resource* may be empty."""

    partition: str
    service: str
    region: str
    account: str
    resource: str


def parse(text: str) -> Arn | None:
    """Return the parts of *text*, or None when it is no ARN."""
    if text[:4] != "arn:" or len(text) > MAX_ID:
        return None
    parts = text.split(":", 5)
    if len(parts) != 6 or len(parts[3]) > MAX_WORD:
        return None
    return Arn(*parts[1:])


def names(id: str) -> list[str]:
    """Return *id*, and where it is an ARN what else the same resource is called; nothing for an empty or endless id.

    An instance, a volume, a security group: also its plain id. A function's version or alias: also the function. An
    image: also its repository and its digest.
    """
    arn = parse(id)
    if arn is None:
        return [id] if 0 < len(id) <= MAX_ID else []
    if arn.service == "ec2":
        short = arn.resource.rpartition("/")[2]
        return [id, short] if short and short != arn.resource else [id]
    if arn.service == "lambda":
        words = id.split(":")
        return [id, ":".join(words[:7])] if len(words) == 8 and words[5] == "function" else [id]
    if arn.service == "ecr":
        repository, digest = _image(id)
        return [id, repository, digest] if repository else [id]
    return [id]


def instance(id: str, partition: str, region: str, account: str) -> str:
    """Return the ARN of an EC2 instance."""
    return f"arn:{partition}:ec2:{region}:{account}:instance/{id}"


def _image(id: str) -> tuple[str, str]:
    """Return the ARN of an image's repository, and the digest that stands behind it."""
    for divider in ("/sha256:", "@sha256:"):
        repository, found, digest = id.partition(divider)
        if found:
            return repository, f"sha256:{digest}"
    return "", ""
