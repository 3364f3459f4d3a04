"""Schemathesis over both descriptions: no answer of the server's own fault, none that isn't described.

`TIDEGATE_FUZZ=500 pytest tests/api/test_described.py` tries 500 requests a call instead of a few.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, Phase, given, settings

from agents.normalise import NORMALISERS
from api.version import ROOT
from streams.admin import ensure_topics
from streams.embedded import Broker
from streams.topics import TOPICS, raw_topic
from tests.api.prisma_tenant import TOKEN, Tenant, served, tenant

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis isn't installed")

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning"),
]

EXAMPLES = int(os.environ.get("TIDEGATE_FUZZ", "2"))
ENDLESS = (f"{ROOT}/events", f"{ROOT}/control/keys/rotate")
AWAY = 503


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ours(broker: Broker, filled: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Tenant]:
    async with tenant(tmp_path_factory.mktemp("tenant"), broker, filled) as started:
        await ensure_topics(started.settings, [*TOPICS, *(raw_topic(each.topic) for each in NORMALISERS.values())])
        yield started


@pytest.fixture
def base(ours: Tenant) -> Iterator[str]:
    """Where the API listens."""
    with served(ours.app) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("description", ["/openapi.json", f"{ROOT}/openapi.json"], ids=["theirs", "ours"])
async def test_no_answer_is_a_defect_or_undescribed(base: str, description: str) -> None:
    headers = {"authorization": f"Bearer {TOKEN}"}
    described = httpx.get(base + description, headers=headers, timeout=60).json()
    wrong = await asyncio.to_thread(_tried, schemathesis.openapi.from_dict(described), base, headers)
    assert not wrong, "\n".join(sorted(wrong))


def _tried(schema: Any, base: str, headers: dict[str, str]) -> set[str]:
    wrong: set[str] = set()
    for result in schema.get_all_operations():
        operation = result.ok()
        if not operation.path.endswith(ENDLESS):
            wrong |= _asked(operation, base, headers)
    return wrong


def _asked(operation: Any, base: str, headers: dict[str, str]) -> set[str]:
    known = {int(status) for status in operation.definition.raw["responses"]}
    wrong: set[str] = set()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=EXAMPLES < 10,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        said = case.call(base_url=base, headers=headers, timeout=60)
        if said.status_code not in known or (said.status_code >= 500 and said.status_code != AWAY):
            wrong.add(f"{case.method} {case.path}: {said.status_code} {said.text[:200]} for {case.body!r:.300}")

    ask()
    return wrong
