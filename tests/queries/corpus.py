"""The corpus of real configurations as a store, and its documents as plain Python sees them."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from agents.normalise import NORMALISERS
from agents.normalise._base import Bad
from queries import run
from streams.codec import encode
from streams.identity import Place
from streams.store import Part, Store

CONFIGS = Path(__file__).parents[3] / "shared" / "corpus" / "configs"
NOW = datetime(2026, 1, 1, tzinfo=UTC)

Doc = dict[str, Any]


class Resource(NamedTuple):
    """A document and what stands beside it."""

    rrn: str
    cloud: str
    account: str
    region: str
    tags: dict[str, str]
    doc: Doc


class Corpus:
    """The resources, read once, by api.name."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self.all: list[Resource] = []
        self._by_api: dict[str, list[Resource]] = {}
        rows = connection.execute("select api_name, rrn, cloud, account, region, tags, json from resources").fetchall()
        for api_name, rrn, cloud, account, region, tags, document in rows:
            self.all.append(Resource(rrn, cloud, account, region, json.loads(tags), json.loads(document)))
            self._by_api.setdefault(api_name, []).append(self.all[-1])

    @classmethod
    @contextmanager
    def open(cls, folder: Path) -> Iterator["Corpus"]:
        """Make a store in *folder* of all configurations as the normalisers read them."""
        found: dict[bytes, bytes | None] = {}
        for cloud in ("aws", "azure", "gcp", "alibaba"):
            for n, line in enumerate((CONFIGS / f"{cloud}.jsonl").read_bytes().splitlines()):
                for record in NORMALISERS[cloud].read(line, Place(NORMALISERS[cloud].topic, 0, n, 1_760_000_000_000)):
                    if not isinstance(record, Bad):
                        _, key, value = encode(record)
                        assert key is not None
                        found[key] = value
        store = Store.open(folder / "store.duckdb", memory="1GB", threads=2)
        records = [(n, key, value) for n, (key, value) in enumerate(found.items())]
        store.apply([Part("resources", "resources", 0, 0, len(records), records)])
        cursor = store.cursor()
        yield cls(cursor)
        cursor.close()
        store.close()

    def of(self, api_name: str) -> list[Resource]:
        """Return the resources of an API."""
        return self._by_api.get(api_name, [])

    def ask(self, query: str) -> list[str]:
        """Return the rrns of the answer, in its order."""
        answer = run(self.connection, query, now=NOW, limit=5000)
        assert answer.whole
        return [row[answer.columns.index("rrn")] for row in answer.rows]


def at(doc: Any, path: str) -> Any:
    """Return the value of a key of a key, None where there is none."""
    for key in path.split("."):
        doc = doc.get(key) if isinstance(doc, dict) else None
    return doc


def each(doc: Any, path: str) -> list[Any]:
    """Return the list at *path*, empty where there is none."""
    found = at(doc, path)
    return found if isinstance(found, list) else []


def met(holds: Callable[[Doc], bool], doc: Doc) -> bool:
    """Tell whether *holds* is true of the document, which isn't so where a key is missing."""
    try:
        return holds(doc)
    except KeyError:
        return False
