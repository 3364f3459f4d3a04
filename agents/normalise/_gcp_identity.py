"""Who a Google Cloud resource is: its full name, project and region, whichever way it is spelt."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from agents.normalise._gcp_types import plural
from agents.normalise._rows import text


def full_name(sent: str, asset_type: str) -> str:
    """Return the full resource name, `//compute.googleapis.com/projects/p/zones/z/instances/i`, of what was sent: that,
    the URL of an API (selfLink), or a relative name.
    """
    if sent.startswith("//"):
        return sent
    service = asset_type.partition("/")[0]
    if url := _URL.match(sent):
        host, path = url["host"], url["path"]
        if host == "www.googleapis.com" or not host.endswith(".googleapis.com"):
            host = f"{path.partition('/')[0]}.googleapis.com"
            path = path.partition("/")[2]
        service, sent = host, _VERSION.sub("", path)
    service = _HOSTS.get(service, service)
    sent = _VERSION.sub("", sent)
    if service == "storage.googleapis.com":
        sent = _BUCKET.sub("", sent)
    return f"//{service}/{sent}" if service else sent


def relative_name(sent: str, asset_type: str, config: Mapping[str, Any], account: str) -> str:
    """Return the name below its service that Cloud Asset Inventory gives a resource which its API names otherwise.

    BigQuery says `project:dataset.table`; Logging and DNS say a bare name, the latter's zones being told by their
    number; IAM's assets are told by a number, its API by an email, which is the one to keep.
    """
    service, _, kind = asset_type.partition("/")
    if service == "iam.googleapis.com" and (name := text(config.get("name"))).startswith("projects/"):
        return name
    if "/" in sent or service == "storage.googleapis.com" or not account:
        return sent
    if service == "bigquery.googleapis.com" and ":" in sent:
        project, _, path = sent.partition(":")
        dataset, _, table = path.partition(".")
        return f"projects/{project}/datasets/{dataset}" + (f"/tables/{table}" if table else "")
    number = config.get("id") if service == "dns.googleapis.com" else None
    last = str(number) if type(number) is int else text(number) or sent
    return f"projects/{account}/{plural(kind)}/{last}"


def project_of(*names: str) -> str:
    """Return the project of the first name that tells it by its id, else of the first that tells its number."""
    number = ""
    for name in names:
        if found := _PROJECT.search(name):
            if not found[1].isdigit():
                return found[1]
            number = number or found[1]
    return number


def projects_in(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a configuration has that may be its project's id, the surest first."""
    for name in ("projectId", "project"):
        yield text(config.get(name))
    for name in ("datasetReference", "tableReference"):
        if type(reference := config.get(name)) is dict:
            yield text(reference.get("projectId"))
    if (application := text(config.get("name"))).startswith("apps/"):
        yield application.split("/")[1]
    if type(metadata := config.get("metadata")) is dict:
        yield text(metadata.get("namespace"))
    yield text(config.get("projectNumber"))


def owner_of(name: str) -> str:
    """Return the organisation, folder or billing account that a name stands under, empty when there is none."""
    found = _OWNER.search(name)
    return found[0].strip("/") if found else ""


@lru_cache(maxsize=4096)
def region_of(place: str) -> str:
    """Return the region of a zone, region or location, given by its name or its URL; empty when it's none."""
    name = place.rpartition("/")[2].strip().lower()
    if not name or not _PLACE.fullmatch(name) or name == "projects":
        return ""
    return name[:-2] if _ZONE.fullmatch(name) else name


def place_in(name: str) -> str:
    """Return the zone, region or location that a name has in it, empty when there is none."""
    found = _LOCATED.search(name)
    return found[1] if found else ""


_URL = re.compile(r"https?://(?P<host>[^/]+)/(?P<path>.+)")
_VERSION = re.compile(r"^(?:[a-z]+/)?v\d\w*/")
_BUCKET = re.compile(r"^(?:b|buckets|projects/_/buckets)/")
_PROJECT = re.compile(r"(?:^|/)projects/([^/_\-][^/]*)")
_OWNER = re.compile(r"(?:^|/)(?:organizations|folders|billingAccounts)/[^/]+")
_LOCATED = re.compile(r"/(?:zones|regions|locations)/([^/]+)")
_PLACE = re.compile(r"[a-z][a-z0-9-]*")
_ZONE = re.compile(r"[a-z]+-[a-z]+\d+-[a-z]")
_HOSTS = {
    "admin.googleapis.com": "admin.googleapis.com",
    "sql.googleapis.com": "cloudsql.googleapis.com",
    "sqladmin.googleapis.com": "cloudsql.googleapis.com",
}
"""What Cloud Asset Inventory calls a service in names, where the API is called otherwise."""
