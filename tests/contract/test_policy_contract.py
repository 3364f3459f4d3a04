"""What every shipped policy must do. A new one is tested by existing: one file, and two documents."""

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agents.normalise import NORMALISERS
from agents.normalise import _alibaba_types as alibaba
from agents.normalise import _azure_types as azure
from agents.normalise import _gcp_types as gcp
from agents.normalise._aws_types import TYPES
from agents.normalise._azure_unpack import SETTINGS
from agents.normalise._base import Bad
from agents.normalise._gcp_unpack import IAM_USER
from queries.policy import SHIPPED, Policy, load, touches, violations
from queries.run import Answer
from streams.codec import encode
from streams.identity import Place
from streams.records import Finding, Resource
from streams.store import Part, Store
from streams.store.schema import KindName

DATA = Path(__file__).parents[1] / "data" / "policies"
POLICIES = load(SHIPPED)
KNOWN = frozenset(
    {known.api_name for known in TYPES.values()}
    | {*azure.API_NAMES.values(), SETTINGS, *gcp.API_NAMES.values(), IAM_USER, *alibaba.API_NAMES}
)
"""Every api.name that a normaliser gives by a table of its own."""
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
Records = dict[KindName, list[tuple[int, bytes | None, bytes | None]]]


def test_every_policy_has_its_two_documents_and_no_document_is_without_a_policy() -> None:
    there = {path.relative_to(DATA).as_posix() for path in DATA.rglob("*") if path.is_file()}
    assert there == {f"{id}/{name}.json" for id in POLICIES for name in ("violates", "passes")}


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a store with nothing in it: a copy opens in half the time of a new one."""
    path = tmp_path_factory.mktemp("empty") / "store.duckdb"
    Store.open(path, memory="256MB", threads=1).close()
    return path


def test_no_two_policies_have_one_name() -> None:
    names = [policy.name for policy in POLICIES.values()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
class TestPolicy:
    def test_what_violates_it_is_found_once(self, policy: Policy, tmp_path: Path, empty: Path) -> None:
        answer = _answer(policy, _records(DATA / policy.id / "violates.json"), tmp_path, empty)
        assert (answer.total, len(answer.rows)) == (1, 1)

    def test_what_passes_is_not_found_though_it_was_looked_at(
        self, policy: Policy, tmp_path: Path, empty: Path
    ) -> None:
        records = _records(DATA / policy.id / "passes.json")
        asked = touches(policy)
        assert bool(records["findings"]) or not asked.findings
        names = {json.loads(value or b"")["api_name"] for _, _, value in records["resources"]}
        assert names and (asked.api_names is None or names & asked.api_names)
        assert _answer(policy, records, tmp_path, empty).total == 0

    def test_its_apis_are_those_that_a_normaliser_knows(self, policy: Policy) -> None:
        assert (touches(policy).api_names or frozenset()) <= KNOWN

    def test_people_can_read_it(self, policy: Policy) -> None:
        assert policy.id.startswith(policy.cloud or "")
        assert not policy.name.endswith(".")
        assert policy.description.endswith(".")
        assert policy.labels


def _records(document: Path) -> Records:
    """Return what the real normalisers make of *document*: an object of source and its raw messages."""
    found: Records = {"resources": [], "findings": []}
    for source, message in _messages(document):
        made = NORMALISERS[source].read(message, Place(NORMALISERS[source].topic, 0, 0, 1_760_000_000_000))
        assert made
        for record in made:
            assert not isinstance(record, Bad), (document, record)
            if not isinstance(record, Resource | Finding):
                continue  # what a scanner tells of its own assets
            _, key, value = encode(record)
            kind = found["resources" if isinstance(record, Resource) else "findings"]
            kind.append((len(kind), key, value))
    return found


def _messages(document: Path) -> Iterator[tuple[str, bytes]]:
    for source, messages in json.loads(document.read_bytes()).items():
        for message in messages:
            yield source, json.dumps(message).encode()


def _answer(policy: Policy, records: Records, folder: Path, empty: Path) -> Answer:
    shutil.copy(empty, folder)
    store = Store.open(folder / "store.duckdb", memory="256MB", threads=1)
    try:
        store.apply([Part(kind, kind, 0, 0, len(each), each) for kind, each in records.items()])
        return violations(store.cursor(), policy, NOW)
    finally:
        store.close()
