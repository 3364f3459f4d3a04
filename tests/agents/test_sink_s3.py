"""What S3 promises beyond the contract: the same events are the same object, addresses, errors in XML."""

import pytest

from agents.sinks._base import Item
from agents.sinks._outcome import Config, Ok
from tests.contract.sinks import Case, delivery, in_process, sent
from tests.fakes.s3 import S3


async def test_a_thousand_events_are_one_object_and_the_same_ones_the_same() -> None:
    client = in_process(fake := S3())
    items = [Item(delivery(id=f"P-{number}"), {}) for number in range(1000)]
    for _ in "12":
        assert set(await Case("s3").make().deliver(items, client)) == {Ok()}
    ((name, lines),) = fake.objects.items()
    assert name.startswith("alerts/2026/01/01/00/") and len(lines) == 1000 and fake.wrong == []


@pytest.mark.parametrize(
    ("bucket", "region", "url", "at"),
    [
        ("acme-alerts", "eu-west-1", "", "https://acme-alerts.s3.eu-west-1.amazonaws.com/alerts/"),
        ("acme.alerts", "eu-west-1", "", "https://s3.eu-west-1.amazonaws.com/acme.alerts/alerts/"),
        ("acme", "cn-north-1", "", "https://acme.s3.cn-north-1.amazonaws.com.cn/alerts/"),
        ("acme", "eu-west-1", "https://minio.example.com/", "https://minio.example.com/acme/alerts/"),
    ],
)
async def test_the_bucket_names_the_address(bucket: str, region: str, url: str, at: str) -> None:
    client = in_process(S3())
    await sent(Case("s3").make(bucket=bucket, region=region, url=url), delivery(), client)
    assert client.requests[0].url.startswith(at)


async def test_a_bucket_that_is_not_there_is_told() -> None:
    outcome = await Case("s3").make(bucket="nobodys").check(in_process(S3()))
    assert isinstance(outcome, Config) and "there is no such bucket" in outcome.words
