"""A new vendor is one file and its cases: nothing else has to know it, and the contract holds it at once."""

import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

ROOT = Path(__file__).parents[2]

ACME = '''\
"""Acme's findings."""

from typing import ClassVar

from agents.normalise._base import Item, Items, Kind, Normaliser, fragment
from agents.normalise._fields import account_of, identifier, time_ms
from streams.errors import BadRecord
from streams.identity import Place, version
from streams.records import Finding, Reference


class Acme(Normaliser):
    """`seen` says which is newer."""

    kind: ClassVar[Kind] = "findings"
    forms: ClassVar[tuple[str, ...]] = ("single findings",)

    def items(self, document: Item) -> Items:
        return [("", document)]

    def record(self, item: Item, place: Place, index: int) -> Finding:
        seen = time_ms(item.get("seen"), "seen")
        if item.get("level") not in ("low", "high"):
            raise BadRecord("level", "wanted low or high")
        return Finding(
            id=identifier(item, "id"),
            account=account_of("aws", item.get("account"), "account"),
            source="Acme",
            type="Host Vulnerability",
            name="acme",
            severity=item["level"],
            title="Acme",
            references=[Reference(id=identifier(item, "instance"))],
            version=version(seen, 0, place, index),
            original=fragment(item),
        )
'''
CASE = {"id": "a1", "account": "111122223333", "level": "high", "seen": "2026-03-02T09:35:10Z", "instance": "i-1"}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a checkout of links to this one's files, but for the folders that a vendor is added to."""
    for name in ("streams", "queries", "docs", "pyproject.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    for folder in ("agents", "agents/normalise", "tests", "tests/data", "tests/data/normalise", "tests/contract"):
        (tmp_path / folder).mkdir()
        for path in (ROOT / folder).iterdir():
            if path.name not in ("__pycache__", "normalise", "contract", "data") or folder == "tests/data/normalise":
                (tmp_path / folder / path.name).symlink_to(path)
    return tmp_path


def run(checkout: Path, *arguments: str) -> str:
    """Run Python in *checkout* and return what it printed."""
    environment = os.environ | {"PYTHONPATH": str(checkout), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=checkout, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


def test_one_file_and_a_case_are_a_vendor(checkout: Path) -> None:
    (checkout / "agents" / "normalise" / "acme.py").write_text(ACME)
    cases = checkout / "tests" / "data" / "normalise" / "acme"
    cases.mkdir()
    (cases / "finding.in.json").write_bytes(orjson.dumps(CASE))

    assert "wrote acme/finding.out.json" in run(checkout, "-m", "tests.contract.golden")
    [record] = orjson.loads((cases / "finding.out.json").read_bytes())
    assert (record["source"], record["severity"]) == ("Acme", "high")

    shown = run(checkout, "-c", "from docs import sources; print(sources.page())")
    assert "\n## acme\n\nTopic `raw.findings.acme`. `seen` says which is newer." in shown

    told = run(
        checkout,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-k",
        "acme",
        "tests/contract/test_normaliser_contract.py",
    )
    assert " passed" in told
