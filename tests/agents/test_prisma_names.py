"""Whether queries that people wrote for Prisma Cloud find their names here: of APIs, and of fields in our documents."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest

from agents.normalise import NORMALISERS, _alibaba_types, _azure_types, _gcp_types
from agents.normalise._aws_types import TYPES
from agents.normalise._base import Bad
from queries.errors import RqlError
from queries.parse import parse
from queries.syntax import (
    And,
    AnyKey,
    Attribute,
    Call,
    Compare,
    Condition,
    JsonRule,
    Key,
    Listing,
    Not,
    Or,
    Query,
    Where,
)
from queries.syntax import (
    Path as Way,
)
from streams.codec import encode
from streams.identity import Place
from streams.records import Resource

SHARED = Path(__file__).parents[3] / "shared" / "corpus"
CASES = Path(__file__).parents[1] / "data"
ACCOUNTS = {
    "aws": "111122223333",
    "azure": "0b1f6a1e-58f3-4c1d-9d0e-6a4f5b7c8d90",
    "gcp": "shop-prod",
    "alibaba": "1234567890123456",
}
CLOUDS = ("aws-", "azure-", "gcloud-", "gcp-", "alibaba-")

beside = pytest.mark.skipif(not SHARED.is_dir(), reason="the collection of public queries isn't beside this checkout")


@beside
def test_the_apis_that_public_queries_ask_are_known() -> None:
    known = {
        *(known.api_name for known in TYPES.values()),
        *_azure_types.API_NAMES.values(),
        *_gcp_types.API_NAMES.values(),
        *_alibaba_types.API_NAMES,
        "azure-security-center-settings",
        "gcloud-projects-get-iam-user",
    }
    asked = {_api_name(clause.condition) for query in _queries() for clause in query.clauses}
    unknown = {name for name in asked if name.startswith(CLOUDS)} - known
    assert unknown == {"aws-s3api-get-bucket-encryption"}  # it's in the document of aws-s3api-get-bucket-acl


@beside
def test_most_fields_that_public_queries_ask_are_in_our_documents() -> None:
    asked = [(name, way) for query in _queries() for name, way in _ways(query) if name.startswith(CLOUDS) and way]
    found = Counter(_has(document, way) for name, way in asked for document in [_documents().get(name, [])])
    assert sum(found.values()) > 200
    assert found[True] / sum(found.values()) > 0.75


@cache
def _queries() -> list[Query]:
    found = []
    for line in (SHARED / "rql" / "queries.jsonl").read_bytes().splitlines():
        row = orjson.loads(line)
        if row["kind"] == "config" and not row.get("template"):
            try:
                found.append(parse(row["query"]))
            except RqlError:
                continue
    return found


@cache
def _documents() -> dict[str, list[Any]]:
    """Return the documents that public rows and our own cases give, by api.name."""
    found: dict[str, list[Any]] = {}
    for cloud, account in ACCOUNTS.items():
        redacted = re.sub(
            rb"/subscription-id\b", b"/" + account.encode(), (SHARED / "configs" / f"{cloud}.jsonl").read_bytes()
        )
        rows = (orjson.loads(line) | {"account": account} for line in redacted.splitlines())
        cases = (path.read_bytes() for path in sorted((CASES / "normalise" / cloud).glob("*.in.json*")))
        shown = (
            orjson.loads(path.read_bytes()).get(cloud, []) for path in sorted((CASES / "policies").rglob("*.json"))
        )
        source = NORMALISERS[cloud]
        for message in (
            *cases,
            *(orjson.dumps(one) for many in shown for one in many),
            b"\n".join(map(orjson.dumps, rows)),
        ):
            for record in source.read(message, Place(source.topic, 0, 0, 1_772_442_000_000)):
                if not isinstance(record, Bad) and isinstance(record, Resource):
                    found.setdefault(record.api_name, []).append(orjson.loads(encode(record).value)["config"])
    return found


def _has(value: Any, way: tuple[str, ...]) -> bool:
    if not way:
        return True
    if isinstance(value, list):
        return any(_has(inner, way) for inner in value)
    if not isinstance(value, dict):
        return False
    if way[0] == "*":
        return any(_has(inner, way[1:]) for inner in value.values())
    return way[0] in value and _has(value[way[0]], way[1:])


def _ways(query: Query) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the api.name and the path of each field that a query asks."""
    names = {clause.alias: _api_name(clause.condition) for clause in query.clauses}
    for clause in query.clauses:
        for way in _in(clause.condition, ()):
            yield names[clause.alias], way
    for way in _in(query.filter.condition, ()) if query.filter else ():
        if way and way[0] in names:
            yield names[way[0]], way[1:]


def _in(asked: Any, stem: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    match asked:
        case And(parts) | Or(parts) | Listing(parts):
            for part in parts:
                yield from _in(part, stem)
        case Not(inner) | JsonRule(inner):
            yield from _in(inner, stem)
        case Compare(left, _, right):
            yield from _in(left, stem)
            yield from _in(right, stem)
        case Call(_, arguments):
            for argument in arguments:
                yield from _in(argument, stem)
        case Way(root, steps):
            here = () if root == "$" else stem
            for step in steps:
                match step:
                    case Key(name):
                        here = (*here, name)
                    case AnyKey():
                        here = (*here, "*")
                    case Where(_, condition):
                        yield from _in(condition, here)
            yield here


def _api_name(condition: Condition) -> str:
    match condition:
        case Attribute(name="api.name", values=(value, *_)):
            return value.text
        case And(parts) | Or(parts):
            return next((name for part in parts if (name := _api_name(part))), "")
        case _:
            return ""
