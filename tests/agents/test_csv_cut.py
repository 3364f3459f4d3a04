"""CSV cut to messages: the same records come of the pieces as of the whole, wherever it's cut."""

import gzip
from pathlib import Path
from typing import Any

import pytest

from agents.normalise import NORMALISERS
from agents.normalise._base import Bad
from agents.normalise._csv_cut import cut
from api.messages import messages
from streams.identity import Place

DATA = Path(__file__).parents[1] / "data" / "normalise"
FILES = sorted(DATA.glob("*/*.in.csv"))


def ids(source: str, text: bytes) -> list[Any]:
    """Return what comes of a message: ids of records, reasons of what is bad."""
    entries = NORMALISERS[source].read(text, Place(f"raw.findings.{source}", 0, 42, 1_772_442_000_000))
    return [(entry.path, entry.reason) if isinstance(entry, Bad) else getattr(entry, "id", None) for entry in entries]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
@pytest.mark.parametrize("size", [1, 100, 400, 10**9])
def test_the_pieces_hold_what_the_whole_holds(path: Path, size: int) -> None:
    text = path.read_bytes()
    pieces = list(cut(text.splitlines(keepends=True), size))
    assert len(pieces) > 1 or size > 400
    assert [one for piece in pieces for one in ids(path.parent.name, piece)] == ids(path.parent.name, text)


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_of_csv_is_cut_when_it_is_sent(tmp_path: Path, packed: bool) -> None:
    output = "line,\n" * 20_000
    rows = (f'{number},Confirmed,4,Active,"{output}",5\n' for number in range(80))
    text = "\nHost ID,Type,Severity,Status,Results,QID\n" + "".join(rows)
    path = tmp_path / "report.csv"
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    sent = list(messages(str(path)))
    assert len(sent) == 3
    assert [one for message in sent for one in ids("qualys", message.value)] == [
        f"qualys:host:{n}/5" for n in range(80)
    ]


def test_what_is_no_table_of_findings_is_one_message(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("a,b,c,d\n" * 10)
    assert len(list(messages(str(path)))) == 1
