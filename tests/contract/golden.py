"""The golden cases of the normalisers: what they hold, and the command that reprints what comes out.

`python -m tests.contract.golden` writes every <case>.out.json anew; read the difference before you commit it.
"""

import base64
import sys
from pathlib import Path
from typing import Any

import orjson

from agents.normalise import NORMALISERS
from agents.normalise._base import Bad
from streams.codec import encode
from streams.identity import Place
from streams.records import Record

DATA = Path(__file__).parent.parent / "data" / "normalise"
CASES = sorted(DATA.glob("*/*.in.*"))
TIMESTAMP = 1_772_442_000_000


def place(source: str, offset: int = 7) -> Place:
    """Return where a case's message lies."""
    return Place(NORMALISERS[source].topic, 3, offset, TIMESTAMP)


def read(source: str, value: bytes, offset: int = 7) -> list[Record | Bad]:
    """Return what comes of a message."""
    return NORMALISERS[source].read(value, place(source, offset))


def plain(entry: Record | Bad) -> dict[str, Any]:
    """Return an entry as JSON shows it."""
    if isinstance(entry, Bad):
        item = entry.item.decode() if entry.item.isascii() else base64.b64encode(entry.item).decode()
        return {"bad": {"place": entry.place, "path": entry.path, "reason": entry.reason, "item": item}}
    return dict(orjson.loads(encode(entry).value))


def out_of(case: Path) -> Path:
    """Return the file that holds what must come out of *case*."""
    return case.with_name(case.name.partition(".in.")[0] + ".out.json")


def main() -> int:
    """Reprint every case; return the exit code."""
    for case in CASES:
        entries = [plain(entry) for entry in read(case.parent.name, case.read_bytes())]
        text = orjson.dumps(entries, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        if not out_of(case).exists() or out_of(case).read_bytes() != text:
            out_of(case).write_bytes(text)
            sys.stdout.write(f"wrote {out_of(case).relative_to(DATA)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
