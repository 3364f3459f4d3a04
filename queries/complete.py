"""What may come next in a query that is being typed: candidates from the language, the catalogue and the tables."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

import duckdb

from queries.catalog import ATTRIBUTES, SEVERITIES, STATUSES
from queries.errors import RqlError
from queries.functions import FUNCTIONS
from queries.names import SOURCES, TYPES, region_names
from queries.operators import OPERATORS
from queries.parse_rule import RuleParser
from queries.tokens import Reader

Kind = Literal["keyword", "attribute", "operator", "value", "path", "function"]

MOST = 50
"""The most candidates of one answer."""
DOCUMENTS = 200
"""How many documents of an API are looked at for paths."""
DEPTH = 6
"""How many keys deep paths are offered."""


class Candidate(NamedTuple):
    """*text* may stand in the query from *start* up to the cursor; *doc* says what it is."""

    text: str
    start: int
    kind: Kind
    doc: str = ""


def complete(
    text: str, position: int | None = None, connection: duckdb.DuckDBPyConnection | None = None
) -> list[Candidate]:
    """Return what may stand at *position*, counted in characters, the end if None; the likeliest first.

    Values of attributes and paths come from the tables that *connection* sees, where one is given.
    """
    before = text if position is None else text[:position]
    clause = max(before.rfind(";") + 1, 0)
    rule = _RULE.search(before, clause)
    if rule is not None:
        return _in_rule(before, rule.end(), clause, connection)
    return _outside(before, clause, connection)


def known_paths(api_name: str, connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the paths of some documents of *api_name*, such as `tags[*].key`."""
    rows = connection.execute(
        "select json from resources where api_name = ? and not deleted limit ?", (api_name, DOCUMENTS)
    ).fetchall()
    return list(dict.fromkeys(path for (document,) in rows for path in _walk(json.loads(document), "", 0)))


_RULE = re.compile(r"""\b(?:json\.rule\s*=|filter\s)\s*['"]?""", re.IGNORECASE)
_VALUE = re.compile(r"""\b([\w.]+)\s*(?:=|!=|\b(?:not\s+)?in\s*\((?:[^()]*,)?)\s*(['"]?)([^'",()]*)$""", re.IGNORECASE)
_AFTER_ATTRIBUTE = re.compile(r"\b([\w.]+)\s+([a-z!=]*(?: [a-z]*)?)$", re.IGNORECASE)
_WORD = re.compile(r"[\w.]*$")
_PATH = re.compile(r"[\w.$@*\[\]'\-]*$")
_API = re.compile(r"""api\.name\s*=\s*['"]([^'"]+)""", re.IGNORECASE)
_START = "config from cloud.resource where "
_VALUES: dict[str, tuple[str, ...]] = {
    "cloud.type": ("aws", "azure", "gcp", "alibaba_cloud", "oci", "ibm"),
    "resource.status": STATUSES,
    "finding.severity": SEVERITIES,
    "finding.source": tuple(dict.fromkeys(SOURCES.values())),
    "finding.type": tuple(dict.fromkeys(TYPES.values())),
    "cloud.region": region_names(),
}
_STORED = {
    "api.name": "api_name",
    "cloud.account": "account",
    "cloud.service": "service",
    "cloud.region": "region",
    "resource.type": "resource_type",
}
_AFTER_CONDITION = ("and ", "or ", "as X; ", "addcolumn ")


def _outside(before: str, clause: int, connection: duckdb.DuckDBPyConnection | None) -> list[Candidate]:
    if "where" not in before[clause:].lower():
        typed = before[clause:].lstrip()
        starts = [_START, *(("filter '", "show X", "count(X) less than 1") if clause else ())]
        return _ranked(starts, typed, len(before) - len(typed), "keyword")
    value = _VALUE.search(before)
    if value is not None and value.group(1).lower() in ATTRIBUTES:
        attribute, quote, typed = value.groups()
        return _ranked(_values(attribute.lower(), connection), typed, len(before) - len(typed), "value", quote)
    after = _AFTER_ATTRIBUTE.search(before)
    if after is not None and after.group(1).lower() in {*ATTRIBUTES, "json.rule"}:
        signs = ("= ", "!= ", "in ( ", "not in ( ") if after.group(1).lower() != "json.rule" else ("= ",)
        return _ranked(signs, after.group(2), after.start(2), "operator")
    typed = _typed(_WORD, before)
    start = len(before) - len(typed)
    if before[:start].rstrip().endswith(("'", '"', ")")):
        return _ranked(_AFTER_CONDITION, typed, start, "keyword")
    docs = {name: kind.doc for name, kind in ATTRIBUTES.items()} | {"json.rule": "What the document must meet."}
    return [c._replace(doc=docs[c.text]) for c in _ranked(docs, typed, start, "attribute")]


def _in_rule(before: str, rule: int, clause: int, connection: duckdb.DuckDBPyConnection | None) -> list[Candidate]:
    typed = _typed(_PATH, before[rule:])
    start = len(before) - len(typed)
    match _expected(before[rule:start]):
        case "operator":
            words = before[rule:].rsplit(None, 1)
            typed = words[-1] if before[-1:].strip() and len(words) > 1 else ""
            found = _ranked(OPERATORS, typed, len(before) - len(typed), "operator")
            return [c._replace(doc=OPERATORS[c.text].doc) for c in found]
        case "path":
            api = _API.search(before, clause)
            paths = known_paths(api.group(1), connection) if api and connection else []
            called = [c._replace(doc=FUNCTIONS[c.text].doc) for c in _ranked(FUNCTIONS, typed, start, "function")]
            return [*_ranked(paths, typed.removeprefix("$."), start, "path"), *called][:MOST]
        case "more":
            return _ranked(_AFTER_CONDITION, typed, start, "keyword")
        case _:
            return []


def _expected(rule: str) -> str:
    """Return what comes after *rule*, by what its reader asks for at the end."""
    try:
        RuleParser(Reader(rule)).condition()
    except RqlError as error:
        if error.span.start < len(rule.rstrip()) and "never closed" not in error.message:
            return ""
        wanted = ("an operator", "operator"), ("a path", "path"), ("a value", "value"), ("and, or", "more")
        return next((what for words, what in wanted if f"wanted {words}" in error.message), "more")
    return "more"


def _typed(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found.group() if found else ""


def _values(attribute: str, connection: duckdb.DuckDBPyConnection | None) -> list[str]:
    name = ATTRIBUTES[attribute].name
    known = list(_VALUES.get(name, ()))
    if connection is not None and name in _STORED:
        column = _STORED[name]  # our own text
        rows = connection.execute(
            f"select {column} from resources where not deleted group by all order by count(*) desc limit 1000"  # noqa: S608
        ).fetchall()
        known += [str(value) for (value,) in rows if value]
    return known


def _walk(value: object, path: str, depth: int) -> Iterator[str]:
    if path:
        yield path
    if isinstance(value, dict) and depth < DEPTH:
        for key, inner in value.items():
            step = key if re.fullmatch(r"[A-Za-z_][\w:/\-]*", key, re.ASCII) else f"['{key}']"
            yield from _walk(inner, f"{path}.{step}" if path else step, depth + 1)
    elif isinstance(value, list) and value:
        for element in value[:3]:
            yield from _walk(element, f"{path}[*]", depth)


def _ranked(names: Iterable[str], typed: str, start: int, kind: Kind, quote: str = "") -> list[Candidate]:
    """Return those of *names* that begin with what was typed, then those that hold it."""
    low = typed.lower()
    begin = [name for name in names if name.lower().startswith(low)]
    hold = [name for name in names if low in name.lower() and not name.lower().startswith(low)]
    found = dict.fromkeys([*begin, *hold])
    shown = {name: f"'{name}'" if kind == "value" and not quote else name for name in found}
    return [Candidate(shown[name], start, kind) for name in found if name != typed][:MOST]
