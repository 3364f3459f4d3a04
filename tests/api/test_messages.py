"""Files are cut into messages without a change to their bytes, whatever is in them."""

import gzip
import io
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from api.messages import FileError, Message, messages

DOCUMENT = b'{\n  "Findings": [\n    {"Id": 1}\n  ]\n}\n'


@pytest.mark.parametrize(
    ("content", "values"),
    [
        (DOCUMENT, [DOCUMENT.strip()]),
        (b'{"a": 1}', [b'{"a": 1}']),
        (b'{"a": 1}\n\n{"a":  2}\n', [b'{"a": 1}', b'{"a":  2}']),
        (b'{"a": 1}\nbroken\n{"a": 3}', [b'{"a": 1}', b"broken", b'{"a": 3}']),
        (b'{"a": 1\n{"a": 2}\n', [b'{"a": 1', b'{"a": 2}']),
        (b'{"a": 18446744073709551617}\n{"a": 2}\n', [b'{"a": 18446744073709551617}', b'{"a": 2}']),
        (b'\xef\xbb\xbf{"a": 1}\n{"a": 2}', [b'{"a": 1}', b'{"a": 2}']),
        (b'\n \n{"a": 1}\r\n{"a": 2}\r\n', [b'{"a": 1}', b'{"a": 2}']),
        (b'[{"a": 1.0},\n {"b": "],["}, [3], "x"]', [b'{"a": 1.0}', b'{"b": "],["}', b"[3]", b'"x"']),
        (b'[{"a": 1}', [b'[{"a": 1}']),
        (b'[{"a": 1}] x', [b'[{"a": 1}] x']),
        (b'[{"a": 1}, ]', [b'[{"a": 1}, ]']),
        (b'[{"a": 1}{"b": 1}]', [b'[{"a": 1}{"b": 1}]']),
        (b'["\xff"]', [b'["\xff"]']),
        (b"not JSON\nat all", [b"not JSON\nat all"]),
    ],
)
def test_a_file_is_a_document_or_the_items_of_an_array_or_lines(
    tmp_path: Path, content: bytes, values: list[bytes]
) -> None:
    file = tmp_path / "file.json"
    file.write_bytes(content)
    packed = tmp_path / "named-as-you-like"
    packed.write_bytes(gzip.compress(content))

    assert [message.value for message in messages(str(file))] == values
    assert [message.value for message in messages(str(packed))] == values


def test_each_message_says_where_it_lay(tmp_path: Path) -> None:
    lines, array = tmp_path / "l", tmp_path / "a"
    lines.write_bytes(b'\n{"a": 1}\n\n{"a": 2}\n')
    array.write_bytes(b"[1, 2]")

    assert [message.place for message in messages(str(lines))] == [f"{lines}:line 2", f"{lines}:line 4"]
    assert list(messages(str(array))) == [Message(b"1", f"{array}:[0]"), Message(b"2", f"{array}:[1]")]


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(gzip.compress(b'{"a": 1}\n{"a": 2}'))))

    assert [message.place for message in messages("-")] == ["standard input:line 1", "standard input:line 2"]


@pytest.mark.parametrize("content", [b"", b"\n \n", gzip.compress(b"", mtime=0)])
def test_an_empty_file_is_told(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "empty"
    file.write_bytes(content)

    with pytest.raises(FileError, match="empty, nothing to send"):
        list(messages(str(file)))


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    cut = tmp_path / "cut.gz"
    cut.write_bytes(gzip.compress(b'{"a": 1}\n' * 10_000)[:60])

    with pytest.raises(FileError, match="No such file"):
        list(messages(str(tmp_path / "none")))
    with pytest.raises(FileError, match=r"cut\.gz: .*end"):
        list(messages(str(cut)))
    with pytest.raises(FileError, match="directory"):
        list(messages(str(tmp_path)))


def test_a_long_file_of_lines_is_not_held_in_memory(tmp_path: Path) -> None:
    file = tmp_path / "long"
    file.write_bytes(b'{"a": 1}\n' * 100_000)

    assert sum(1 for _ in messages(str(file))) == 100_000
    first = messages(str(file))
    assert next(first).value == b'{"a": 1}'


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(content=st.binary(min_size=1, max_size=60) | st.text('[]{},:" \n1a\\', min_size=1, max_size=60).map(str.encode))
def test_nothing_of_a_file_is_lost(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "any"
    file.write_bytes(content)
    blank = b" \t\r\n\x0b\x0c"
    assume(content.strip(blank) and not content.startswith(b"\x1f\x8b") and _dense(content) != b"[]")

    sent = b"".join(message.value for message in messages(str(file)))

    assert _dense(sent) == _dense(
        content.lstrip(b" \t\r\n").removeprefix(b"\xef\xbb\xbf")
    ) or content.lstrip().startswith(b"[")


def _dense(content: bytes) -> bytes:
    return b"".join(content.split())
