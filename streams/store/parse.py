"""A batch of records becomes a table of typed columns: DuckDB parses the JSON, Python looks only at records that seem wrong.

`load` registers the batch as `<name>_batch(n, part, key, value)` and makes the temporary table `<name>`: one row for each record that a table
can take, with the kind's columns and `n`, `part`, `h` and `upper` (the halves of the key's md5), `seen`, `list` (the keys by which it is
linked; none when deleted) and `links` (their hash).
"""

# ruff: noqa: S608 - SQL is made of the table and column names in streams.store.schema; values are bound

import duckdb
import pyarrow as pa

from streams.store.complaint import complaint
from streams.store.schema import LAST_MS, Field, Kind

Row = tuple[int, int, bytes | None, bytes]
"""Number in the batch (grows with the offset within a partition), partition, key, value."""


def load(db: duckdb.DuckDBPyConnection, kind: Kind, name: str, rows: list[Row]) -> dict[int, str]:
    """Make the tables *name* and `<name>_batch` of *rows*; return why each row that is not in *name* was refused, by its number.

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
    except duckdb.Error:
        rows = _readable(db, kind, name, rows, refused)
        db.register(batch, _arrow(rows))
        _stage(db, kind, name)
    _judge(db, kind, name, refused)
    return refused


def unload(db: duckdb.DuckDBPyConnection, name: str) -> None:
    """Drop what `load` made."""
    db.execute(f"drop table if exists temp.{name}")
    db.unregister(f"{name}_batch")


def _stage(db: duckdb.DuckDBPyConnection, kind: Kind, name: str) -> None:
    db.execute(f"create or replace temp table {name} as {_staged(kind, name)}")


def _arrow(rows: list[Row]) -> pa.Table:
    numbers, parts, keys, values = zip(*rows, strict=True) if rows else ((), (), (), ())
    return pa.table(
        {
            "n": pa.array(numbers, pa.int32()),
            "part": pa.array(parts, pa.uint16()),
            "key": _text(keys),
            "value": _text(values),
        }
    )


def _text(values: tuple[bytes | None, ...]) -> pa.Array:
    # The cast checks the UTF-8, at memory speed. large_: a batch may hold more than 2 GiB.
    return pa.array(values, pa.large_binary()).cast(pa.large_string())


def _texts(rows: list[Row], refused: dict[int, str]) -> list[Row]:
    good = []
    for row in rows:
        number, _, key, value = row
        try:
            (key or b"").decode()
            value.decode()
        except UnicodeDecodeError as error:
            refused[number] = f"not UTF-8: {error.reason} at byte {error.start}"
        else:
            good.append(row)
    return good


def _readable(
    db: duckdb.DuckDBPyConnection, kind: Kind, name: str, rows: list[Row], refused: dict[int, str]
) -> list[Row]:
    """Return the rows that DuckDB can parse; why not is told for each of the others."""
    broken = {n for (n,) in db.execute(f"select n from {name}_batch where not json_valid(value)").fetchall()}
    good = []
    for row in rows:
        if row[0] in broken:
            refused[row[0]] = complaint(kind, row[2], row[3]) or "not JSON"
        else:
            good.append(row)
    db.register(f"{name}_batch", _arrow(good))
    try:
        _stage(db, kind, name)
    except duckdb.Error:
        return [row for row in good if _stageable(db, kind, name, row, refused)]
    return good


def _stageable(db: duckdb.DuckDBPyConnection, kind: Kind, name: str, row: Row, refused: dict[int, str]) -> bool:
    db.register(f"{name}_batch", _arrow([row]))
    try:
        _stage(db, kind, name)
    except duckdb.Error as error:
        refused[row[0]] = complaint(kind, row[2], row[3]) or str(error).splitlines()[0]
        return False
    return True


def _judge(db: duckdb.DuckDBPyConnection, kind: Kind, name: str, refused: dict[int, str]) -> None:
    """Look closely at what SQL found odd, which is not always wrong."""
    odd = db.execute(f"select n, void, b.key, b.value from {name} join {name}_batch b using (n) where odd").fetchall()
    wrong = {}
    for number, void, key, value in odd:
        reason = complaint(kind, None if key is None else key.encode(), value.encode())
        if reason or void:
            wrong[number] = reason or "a required field is given twice, with different values"
    if wrong:
        db.execute(f"delete from {name} where n in (select unnest(?::INTEGER[]))", [list(wrong)])
        refused.update(wrong)


def _staged(kind: Kind, name: str) -> str:
    shape = ",".join(f'"{f.name}":"{"VARCHAR" if f.type in ("text", "version") else "JSON"}"' for f in kind.fields)
    typed = ", ".join(f'{_value(f)} as "{f.column or f.name}"' for f in kind.fields)
    void = " or ".join(f'"{f.name}" is null' for f in kind.fields if f.required)
    odd = " or ".join(_odd(f) for f in kind.fields)
    return f"""
        with parsed as (select n, part, key, from_json(value, '{{{shape}}}') d from {name}_batch),
        typed as (select n, part, key, {typed}, {odd} as odd from parsed),
        linked as (select *, case when deleted then [] else {_linked(kind)} end as list from typed)
        select * exclude (key, odd), md5_number_lower(key) h, md5_number_upper(key) upper,
            make_timestamp(1000 * substr(version, 1, 15)::BIGINT) seen,
            case when list = [] then 0::UBIGINT else hash(list) end links,
            coalesce({void} or key is distinct from {kind.key}, true) void, odd or void odd
        from linked"""


def _value(field: Field) -> str:
    at = f'd."{field.name}"'
    match field.type:
        case "text" if field.required:
            return f"nullif({at}, '')"
        case "text":
            return f"coalesce({at}, '{field.default}')" if field.default is not None else at
        case "version":
            return f"case when {_is_version(at)} then {at} end"
        case "time":
            return f"case when {_is_time(at)} then make_timestamp(1000 * try_cast({at} as BIGINT)) end"
        case "number":
            return f"try_cast({at} as DOUBLE)"
        case "flag":
            return f"coalesce(try_cast({at} as BOOLEAN), false)"
        case "texts":
            return f"""coalesce(from_json({at}, '["VARCHAR"]'), [])"""
        case "references":
            parsed = f"""coalesce(from_json({at}, '[{{"id":"VARCHAR","type":"VARCHAR"}}]'), [])"""
            return f"[{{'id': r.id, 'type': coalesce(r.type, '')}} for r in {parsed}]"
        case "object":
            return f"coalesce({at}, '{field.default}')"
        case "document":
            return at


def _odd(field: Field) -> str:
    """SQL that is true wherever the field may be wrong: it may cry too often, never too seldom."""
    at = f'd."{field.name}"'
    if field.type not in ("text", "version"):
        at = f"{at}::VARCHAR"
    match field.type:
        case "text" if field.choices:
            return f"""({at} is not null and {at} not in ('{"', '".join(field.choices)}'))"""
        case "text":
            return f"({at} is not null and left({at}, 1) in ('{{', '['))"  # an object or array where a text must be
        case "version":
            return f"({at} is null or not {_is_version(at)})"
        case "time":
            return f"({at} is not null and not coalesce({_is_time(at)}, false))"
        case "number":
            return f"({at} is not null and not coalesce(isfinite(try_cast({at} as DOUBLE)), false))"
        case "flag":
            return f"({at} is not null and {at} not in ('true', 'false'))"
        case "texts":
            return f"""({at} is not null and (left({at}, 1) <> '[' or contains({at}, '{{') or contains(({at})[2:], '[') or contains({at}, 'null')))"""
        case "references":
            # Anything but an array of objects with an id that is a text. A backslash or a nested bracket is merely looked at.
            return (
                f"""({at} is not null and (left({at}, 1) <> '[' or contains(({at})[2:], '[') or contains({at}, ':{{')"""
                f""" or len(list_filter(from_json(d."{field.name}", '[{{"id":"VARCHAR"}}]'), lambda r: coalesce(r.id, '') = '')) > 0))"""
            )
        case "object":
            return f"({at} is not null and left({at}, 1) <> '{{')"
        case "document":
            return f"({at} is not null and (contains({at}, 'NaN') or contains({at}, 'Infinity')))"


def _is_version(at: str) -> str:
    return f"(regexp_matches({at}, '^[0-9]{{15}}[.]') and {at}[:15] <= '{LAST_MS:015d}')"


def _is_time(at: str) -> str:
    return f"(try_cast({at} as BIGINT) between 0 and {LAST_MS})"


def _linked(kind: Kind) -> str:
    named = "keys" if kind.linked_by == "keys" else '[r.id for r in "references"]'
    return f"list_sort(list_distinct([md5_number_lower(account || '|' || lower(k)) for k in {named}]))"
