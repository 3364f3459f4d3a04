"""Messages' bytes: gzip, byte order marks, JSON lines, and what isn't JSON."""

import gzip

import pytest

from agents.normalise._unpack import MAX_UNPACKED, unpack
from streams.errors import BadRecord


def documents(message: bytes) -> list[tuple[str, object]]:
    return [(place, str(value) if isinstance(value, BadRecord) else value) for place, value, _ in unpack(message)]


@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        (b'{"a":1}', [("", {"a": 1})]),
        (b" [1,\n2]\n", [("", [1, 2])]),
        (b'\xef\xbb\xbf{"a":1}', [("", {"a": 1})]),
        (b'{"a":1}\n', [("", {"a": 1})]),
        (b'{"a":1}\n{"a":2}', [("line 1", {"a": 1}), ("line 2", {"a": 2})]),
        (b'{"a":1}\r\n\r\n  \n{"a":2}\r\n', [("line 1", {"a": 1}), ("line 4", {"a": 2})]),
        (gzip.compress(b'{"a":1}\n{"a":2}\n', mtime=0), [("line 1", {"a": 1}), ("line 2", {"a": 2})]),
        (
            gzip.compress(b'{"a":1}\n', mtime=0) + gzip.compress(b'{"a":2}\n', mtime=0),
            [("line 1", {"a": 1}), ("line 2", {"a": 2})],
        ),
        (gzip.compress(b"{}", mtime=0) + b"\0" * 512, [("", {})]),
        (b'{"n":18446744073709551616}', [("", {"n": 2**64})]),
    ],
)
def test_a_message_is_unpacked(message: bytes, wanted: object) -> None:
    assert documents(message) == wanted


def test_a_broken_line_spoils_no_other() -> None:
    assert documents(b'{"a":1}\n{"a":\n{"a":3}\n') == [
        ("line 1", {"a": 1}),
        ("line 2", "not JSON: it ends too early, or half of a surrogate pair stands alone"),
        ("line 3", {"a": 3}),
    ]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"", "empty message"),
        (None, "empty message"),
        (b" \n\n ", "empty message"),
        (b'{\n  "a": 1,\n  "b": {\n    "c": [\n      1,\n', "not JSON: it ends too early"),
        (b'[\n{"a":1},\n{"b":2},\n', "not JSON: it ends too early"),
        (b'{"a":1}x', "not JSON: trailing characters"),
        (b"\xff\xfe{\0}\0", "not JSON: invalid character"),
        (b'{"a":"\xff"}', "not JSON: byte 0 isn't UTF-8"),
        (b"[" * 3000, "not usable JSON: nested too deep"),
        (gzip.compress(b"{}", mtime=0)[:-3], "broken gzip: it ends too early"),
        (gzip.compress(b"{}", mtime=0)[:-8] + b"12345678", "broken gzip: "),
        (gzip.compress(b"{}", mtime=0) + b"more", "broken gzip: "),
        (
            gzip.compress(b" " * (MAX_UNPACKED + 1), mtime=0),
            "unpacks to more than 33554432 bytes: send fewer items a message",
        ),
    ],
)
def test_what_can_not_be_read_is_told(message: bytes | None, reason: str) -> None:
    with pytest.raises(BadRecord) as wrong:
        unpack(message)
    assert str(wrong.value).startswith(reason)


def test_a_line_keeps_its_bytes() -> None:
    assert [raw for _, _, raw in unpack(b'{"a": 1}\r\n{"a" :2 }')] == [b'{"a": 1}', b'{"a" :2 }']
