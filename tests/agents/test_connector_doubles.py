"""The doubles of vendors answer as the vendors do: nothing is in their answers that no recorded one has."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.agents.pulling import NOW, fill
from tests.fakes import qualys, tenable

SAMPLES = Path(__file__).parents[3] / "shared" / "corpus" / "findings"
pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the recorded answers aren't in this checkout")


def names(value: Any, path: str = "") -> Iterator[str]:
    """Yield the path of every key in a JSON value, lists passed through."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield f"{path}.{key}"
            yield from names(each, f"{path}.{key}")
    elif isinstance(value, list):
        for each in value:
            yield from names(each, path)


def recorded(*files: str) -> set[str]:
    return {name for file in files for name in names(orjson.loads((SAMPLES / "tenable" / file).read_bytes()))}


def test_tenables_chunks_have_only_fields_of_recorded_ones() -> None:
    vulnerabilities = recorded("j1_doc_GET_Vulnerability_Chunk.json", "pyt_test_exports_vulns_003.json")
    vulnerabilities |= {".indexed"}  # newer than the recordings
    fake = tenable.vulnerability(1, 0, "OPEN", "high")
    assert {name for name in names(fake) if "._" not in name} <= vulnerabilities
    assets = recorded("j1_doc_GET_Asset_Chunk.json", "pyt_test_exports_assets_003.json")
    assert {name for name in names(tenable.asset(1, 0)) if "._" not in name} <= assets


def elements(text: str) -> set[str]:
    return set(re.findall(r"<([A-Za-z_][\w-]*)", text))


def test_qualyss_answers_have_only_elements_of_recorded_ones() -> None:
    known = {name for file in (SAMPLES / "qualys").glob("*.xml") for name in elements(file.read_text(errors="replace"))}
    known |= {"WARNING", "URL", "LAST_UPDATE_DATETIME", "UNIQUE_VULN_ID"}  # of Qualys's DTD, in no recorded answer
    known |= {"HOST_LIST_VM_DETECTION_OUTPUT"}
    fake = qualys.Qualys()
    fill("qualys", fake, 0, 4, NOW)
    made = [qualys._host(4001, fake.hosts[4001]), qualys._row(38000, "2026-01-01T00:00:00Z"), qualys._asset(8000)]
    assert elements("".join(made)) <= known
