"""XML cut to messages: the same records come of the pieces as of the whole, wherever it's cut."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agents.normalise import NORMALISERS
from agents.normalise._base import Bad
from agents.normalise._xml_cut import cut
from api.messages import messages
from streams.identity import Place

DATA = Path(__file__).parents[1] / "data" / "normalise"
FILES = sorted((*DATA.glob("qualys/*.in.xml"), *DATA.glob("tenable/*.in.xml")))


def ids(source: str, text: bytes) -> list[Any]:
    """Return what comes of a message: ids of records, reasons of what is bad."""
    entries = NORMALISERS[source].read(text, Place(f"raw.findings.{source}", 0, 42, 1_772_442_000_000))
    return [(entry.path, entry.reason) if isinstance(entry, Bad) else getattr(entry, "id", None) for entry in entries]


def chunks(text: bytes, size: int) -> Iterator[bytes]:
    return (text[at : at + size] for at in range(0, len(text), size))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
@pytest.mark.parametrize("size", [1, 100, 1500, 3000, 10**9])
@pytest.mark.parametrize("chunk", [7, 4096])
def test_the_pieces_hold_what_the_whole_holds(path: Path, size: int, chunk: int) -> None:
    text = path.read_bytes()
    pieces = list(cut(chunks(text, chunk), size))
    assert [one for piece in pieces for one in ids(path.parent.name, piece)] == ids(path.parent.name, text)


def test_hosts_are_messages_of_their_own_when_they_are_long() -> None:
    text = (DATA / "qualys" / "detections.in.xml").read_bytes()
    pieces = list(cut(chunks(text, 64), 1))
    assert [piece.count(b"<HOST>") for piece in pieces] == [1, 1, 1]
    assert all(piece.startswith(b"<?xml") and piece.rstrip().endswith(b"_OUTPUT>") for piece in pieces)


def test_a_host_s_closing_tag_in_a_scanner_s_output_is_no_place_to_cut() -> None:
    text = (DATA / "qualys" / "detections.in.xml").read_bytes().replace(b"second line", b"</HOST><HOST>")
    assert len(list(cut([text], 1))) == 3


def test_a_report_that_needs_its_glossary_stays_whole() -> None:
    text = (DATA / "qualys" / "report.in.xml").read_bytes()
    assert list(cut(chunks(text, 100), 1)) == [text]


@pytest.mark.parametrize(
    "text",
    [
        b"<HOST_LIST_OUTPUT><HOST><ID>1</ID></HOST><HOST><ID>2</ID></HO",
        b"<a><b/></a>",
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><a/>",
        b"<",
    ],
)
def test_what_cannot_be_cut_is_passed_on(text: bytes) -> None:
    assert b"".join(cut(chunks(text, 5), 10**6)) == text
    assert list(cut([text], 1))[-1].endswith(text[-10:])


def test_another_encoding_stays_whole() -> None:
    text = (DATA / "qualys" / "detections.in.xml").read_bytes().decode().replace("UTF-8", "UTF-16").encode("utf-16")
    assert list(cut(chunks(text, 1000), 1)) == [text]


@pytest.mark.parametrize("before", ["", "\r\n  ", "\ufeff"])
def test_a_file_of_xml_is_cut_when_it_is_sent(tmp_path: Path, before: str) -> None:
    host = "<HOST><ID>{}</ID><IP>10.0.0.5</IP><OS>" + "x" * 100_000 + "</OS></HOST>"
    hosts = "".join(host.format(number) for number in range(100))
    text = f"<HOST_LIST_OUTPUT><RESPONSE><HOST_LIST>{hosts}</HOST_LIST></RESPONSE></HOST_LIST_OUTPUT>"
    path = tmp_path / "hosts.xml"
    path.write_text(before + text)
    sent = list(messages(str(path)))
    assert len(sent) == 3
    assert [one.place for one in sent] == [str(path), f"{path}:part 2", f"{path}:part 3"]
    assert [one for message in sent for one in ids("qualys", message.value)] == [f"host:{n}" for n in range(100)]
