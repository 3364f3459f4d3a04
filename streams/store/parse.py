"""A batch of records becomes a table of typed columns: DuckDB parses the JSON, Python looks only at records that seem
wrong.

`load` registers the batch as `<name>_batch(n, part, key, value)` and makes the temporary table `<name>`: one row for
each record that a table can take, with the kind's columns and `n`, `part`, `h` and `upper` (the halves of the key's
md5), `seen`, and `links` (a hash of what it is linked by; 0 when that is nothing, or it is deleted).
"""

# ruff: noqa: S608 - SQL is made of the table and column names in streams.store.schema; values are bound

from array import array
from collections.abc import Sequence
from itertools import accumulate, compress
from typing import NamedTuple

import duckdb
import pyarrow as pa

from streams.store.complaint import complaint
from streams.store.schema import LAST_MS, Field, Kind


class Rows(NamedTuple):
    """Records as columns: number in the batch (it grows with the offset within a partition), partition, key, value.

    Columns, because a loop over tuples costs as much as all that DuckDB does to a row.
    """

    numbers: Sequence[int]
    parts: Sequence[int]
    keys: Sequence[bytes | None]
    values: Sequence[bytes]

    def only(self, good: Sequence[bool]) -> "Rows":
        """Return the rows for which *good* is true."""
        numbers, parts, keys, values = (list(compress(column, good)) for column in self)
        return Rows(numbers, parts, keys, values)  # type: ignore[arg-type] # as they were


def load(db: duckdb.DuckDBPyConnection, kind: Kind, name: str, rows: Rows) -> dict[int, str]:
    """Make the tables *name* and `<name>_batch` of *rows*; return why each row that is not in *name* was refused, by
    its number.

    Not within a transaction: a record that DuckDB can't parse would abort it.
    """
    refused: dict[int, str] = {}
    batch = f"{name}_batch"
    try:
        db.register(batch, _arrow(rows))
    except (pa.ArrowInvalid, TypeError):
        rows = _texts(rows, refused)
        db.register(batch, _arrow(rows))
    try:
        _stage(db, kind, name)
    except UNREADABLE:
        rows = _readable(db, kind, name, rows, refused)
        db.register(batch, _arrow(rows))
        _stage(db, kind, name)
    _judge(db, kind, name, refused)
    return refused


def unload(db: duckdb.DuckDBPyConnection, name: str) -> None:
    """Let go of the batch. The table stays until the next one of its name."""
    db.unregister(f"{name}_batch")


UNREADABLE = (duckdb.DataError, duckdb.InvalidInputException)
"""What DuckDB raises for JSON that it can't parse. Anything else, such as too little memory, is no record's fault."""


def typed(kind: Kind, batch: str) -> str:
    """Return SQL for the table of typed columns that `load` makes, from *batch*, a relation as `<name>_batch` is one.

    Its `void` says that the record is certainly wrong, `odd` that `mistakes` must say whether it is.
    """
    typed = ", ".join(f'{_value(f)} as "{f.column or f.name}"' for f in kind.fields)
    void = " or ".join(v for f in kind.fields if (v := _void(f)))
    look = " or ".join(v for f in kind.fields if (v := _look(f)))
    odd = " or ".join(v for f in kind.fields if (v := _odd(f)))
    return f"""
        with parsed as (select n, part, key, from_json(value, '{_shape(kind)}') d from {batch}),
        typed as (
            select n, part, key, {typed},
                coalesce({void}, true) void, coalesce({look or "false"}, false) look, {odd} odd
            from parsed),
        keyed as (
            select * exclude (key, void, look, odd), look, md5_number_lower(key) h, md5_number_upper(key) upper,
                make_timestamp(1000 * try_cast(version[:15] as BIGINT)) seen,
                case when deleted or coalesce(len("{kind.linked_by}"), 0) = 0 then 0::UBIGINT
                    else hash(account, "{kind.linked_by}") end links,
                void or key is distinct from {kind.key} as void, odd
            from typed)
        select * exclude (odd), void or look or odd as odd from keyed"""


def mistakes(kind: Kind, table: str, batch: str) -> str:
    """Return SQL for what is wrong with the odd records of *table*, `typed` from *batch*: number, whether it is void,
    key, value, and the names of the fields that aren't of their type.
    """
    fields = [field for field in kind.fields if field.type != "document"]
    paths = ", ".join(f"'/{field.name}'" for field in fields)
    wrong = ", ".join(
        f"case when {_mistyped(field, f'types[{i}]')} then '{field.name}' end" for i, field in enumerate(fields, 1)
    )
    return f"""
        with looked as (
            select n, void, look, b.key, b.value, json_type(b.value, [{paths}]) types,
                from_json(b.value, '{_shape(kind)}') d
            from {table} join {batch} b using (n) where odd),
        judged as (select n, void, look, key, value, list_filter([{wrong}], lambda w: w is not null) wrong from looked)
        select n, void, key, value, wrong from judged where void or look or wrong <> []"""


def _stage(db: duckdb.DuckDBPyConnection, kind: Kind, name: str) -> None:
    db.execute(f"create or replace temp table {name} as {typed(kind, f'{name}_batch')}")


def _arrow(rows: Rows) -> pa.Table:
    table = pa.table(
        {
            "n": _integers("i", rows.numbers, pa.int32()),
            "part": _integers("H", rows.parts, pa.uint16()),
            "key": _text(rows.keys),
            "value": _text(rows.values),
        }
    )
    return pa.Table.from_batches(table.to_batches(_CHUNK), table.schema)


def _integers(code: str, values: Sequence[int], type: pa.DataType) -> pa.Array:
    return pa.Array.from_buffers(type, len(values), [None, pa.py_buffer(array(code, values))])


_CHUNK = 1024
"""DuckDB's threads share the work by chunks of this many rows."""


def _text(values: Sequence[bytes | None]) -> pa.Array:
    """Return an Arrow array of *values*; raises TypeError where one is None, and ArrowInvalid where one isn't UTF-8."""
    # Joined here, not by pa.array: that takes them one by one, keeps what it allocated, and imports pandas where there
    # is one. large_: a batch may hold more than 2 GiB.
    offsets = array("q", accumulate(map(len, values), initial=0))  # type: ignore[arg-type] # None is the TypeError
    joined = b"".join(values)  # type: ignore[arg-type]
    text = pa.Array.from_buffers(pa.large_string(), len(values), [None, pa.py_buffer(offsets), pa.py_buffer(joined)])
    text.validate(full=True)
    return text


def _texts(rows: Rows, refused: dict[int, str]) -> Rows:
    good = []
    for number, _, key, value in zip(*rows, strict=True):
        reason = "no key: compaction would drop it" if key is None else _no_text(key) or _no_text(value)
        if reason:
            refused[number] = reason
        good.append(not reason)
    return rows.only(good)


def _no_text(value: bytes) -> str | None:
    try:
        value.decode()
    except UnicodeDecodeError as error:
        return f"not UTF-8: {error.reason} at byte {error.start}"
    return None


def _readable(db: duckdb.DuckDBPyConnection, kind: Kind, name: str, rows: Rows, refused: dict[int, str]) -> Rows:
    """Return the rows that DuckDB can parse; why not is told for each of the others."""
    broken = {n for (n,) in db.execute(f"select n from {name}_batch where not json_valid(value)").fetchall()}
    for number, _, key, value in zip(*rows, strict=True):
        if number in broken:
            refused[number] = complaint(kind, key, value) or "not JSON"
    rows = rows.only([number not in broken for number in rows.numbers])
    db.register(f"{name}_batch", _arrow(rows))
    try:
        _stage(db, kind, name)
    except UNREADABLE:
        return rows.only(
            [
                _stageable(db, kind, name, Rows([number], [part], [key], [value]), refused)
                for number, part, key, value in zip(*rows, strict=True)
            ]
        )
    return rows


def _stageable(db: duckdb.DuckDBPyConnection, kind: Kind, name: str, row: Rows, refused: dict[int, str]) -> bool:
    db.register(f"{name}_batch", _arrow(row))
    try:
        _stage(db, kind, name)
    except UNREADABLE as error:
        refused[row.numbers[0]] = complaint(kind, row.keys[0], row.values[0]) or str(error).splitlines()[0]
        return False
    return True


def _judge(db: duckdb.DuckDBPyConnection, kind: Kind, name: str, refused: dict[int, str]) -> None:
    """Look closely at what SQL found odd, which is not always wrong: a field may be absent, a text may begin with a
    brace.
    """
    count = db.execute(f"select count(*) from {name} where odd").fetchall()[0][0]
    if not count:
        return
    found = db.execute(mistakes(kind, name, f"{name}_batch")).fetchall()
    reasons = {}
    for number, void, key, value, names in found:
        reason = complaint(kind, None if key is None else key.encode(), value.encode(), names)
        if reason or void or names:
            reasons[number] = reason or "a field is given twice, with different values"
    if reasons:
        db.execute(f"delete from {name} where n in (select unnest(?::INTEGER[]))", [list(reasons)])
        refused.update(reasons)


def _mistyped(field: Field, json_type: str) -> str:
    """SQL that is true where the field has a value that is none of its type; *json_type* is NULL where it is absent."""
    match field.type:
        case "text" | "version":
            return f"{json_type} in ('OBJECT', 'ARRAY')"
        case "object":
            return f"{json_type} not in ('OBJECT', 'NULL')"
        case "cvss" | "packages":
            return "false"  # they adorn: what can't be read costs no record
        case _:
            return f"{_read(field)} is null and {json_type} <> 'NULL'"


_SHAPES = {
    "text": '"VARCHAR"',
    "version": '"VARCHAR"',
    "time": '"VARCHAR"',
    "number": '"VARCHAR"',
    "flag": '"BOOLEAN"',
    "texts": '["VARCHAR"]',
    "references": '[{"id":"VARCHAR","type":"VARCHAR"}]',
    "cvss": '[{"version":"VARCHAR","score":"DOUBLE","vector":"VARCHAR","source":"VARCHAR"}]',
    "packages": ('[{"name":"VARCHAR","version":"VARCHAR","fixed":"VARCHAR","manager":"VARCHAR","path":"VARCHAR"}]'),
    "object": '"JSON"',
    "document": '"JSON"',
}
"""What from_json makes of a field; what it can't make is NULL. Numbers are cast later: whether one is missing, as it
mostly is, or can't be read is told apart by that.
"""

_NUMBERS = {"time": "BIGINT", "number": "DOUBLE"}


def _shape(kind: Kind) -> str:
    return "{" + ",".join(f'"{f.name}":{_SHAPES[f.type]}' for f in kind.fields) + "}"


def _read(field: Field) -> str:
    at = f'd."{field.name}"'
    return f"try_cast({at} as {_NUMBERS[field.type]})" if field.type in _NUMBERS else at


def _value(field: Field) -> str:
    at = _read(field)
    match field.type:
        case "text" if field.default is not None and not field.required:
            return f"coalesce({at}, '{field.default}')"
        case "time":
            return f"case when {_is_time(at)} then make_timestamp(1000 * {at}) end"
        case "flag":
            return f"coalesce({at}, false)"
        case "texts" | "cvss" | "packages":
            return f"coalesce({at}, [])"
        case "references":
            return f"coalesce([{{'id': r.id, 'type': coalesce(r.type, '')}} for r in {at}], [])"
        case "object":
            return f"coalesce({at}, '{field.default}')"
        case _:
            return at


def _void(field: Field) -> str:
    """SQL that is true or NULL where the field is certainly wrong."""
    at = _read(field)
    match field.type:
        case "text" if field.choices:
            listed = f"""{at} not in ('{"', '".join(field.choices)}')"""
            return listed if field.required else f"coalesce({listed}, false)"
        case "text" if field.required:
            return f"{at} = ''"
        case "version":
            # Not a cast: it would take a sign or blanks.
            return f"not regexp_matches({at}, '^[0-9]{{15}}[.]') or {at}[:15] > '{LAST_MS:015d}'"
        case "time":
            return f"coalesce(not {_is_time(at)}, false)"
        case "number":
            return f"coalesce(not isfinite({at}), false)"
        case "references":
            return f"coalesce(len(list_filter({at}, lambda r: coalesce(r.id, '') = '')) > 0, false)"
        case _:
            return ""


def _look(field: Field) -> str:
    """SQL that is true where only a strict JSON parser can tell."""
    at = f'd."{field.name}"::VARCHAR'
    return f"contains({at}, 'NaN') or contains({at}, 'Infinity')" if field.type == "document" else ""


def _odd(field: Field) -> str:
    """SQL that is true where the field's JSON type may be wrong."""
    at = f'd."{field.name}"'
    match field.type:
        case "text" | "version":
            return f"coalesce({at}[1] in ('{{', '['), false)"  # perhaps an object or array
        case "document" | "cvss" | "packages":
            return ""
        case "object":
            return f"coalesce(left({at}::VARCHAR, 1) <> '{{', false)"
        case "time" | "number":
            return f"({at} is not null and {_read(field)} is null)"
        case _:
            return f"{at} is null"


def _is_time(at: str) -> str:
    return f"{at} between 0 and {LAST_MS}"
