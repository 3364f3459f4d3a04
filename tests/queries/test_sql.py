"""Users' SQL is answered from a file that no statement can change, leave or outlive its time in."""

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import duckdb
import psutil
import pytest

from docs.sql import EXAMPLES
from queries import SqlError
from queries.sql import run_sql
from tests.queries.small import store


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A database file; after the tests it must be what it was, alone in its folder."""
    path = tmp_path_factory.mktemp("snapshot") / "tidegate.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "create table resources as "
            "select i::int as n, 'r' || i as name, ('{\"a\": ' || i || '}')::json json from range(2000) t(i)"
        )
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    yield path
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_statement_is_answered_with_plain_values(database: Path) -> None:
    answer = run_sql(
        database,
        "select n, name, n / 4 as q, null as nothing, [n] as l, {'k': true} as s, date '2026-01-02' as d, "
        "json ->> 'a' as a from resources order by n desc limit 1;",
    )
    assert answer.columns == ("n", "name", "q", "nothing", "l", "s", "d", "a")
    assert answer.rows == [(1999, "r1999", 499.75, None, [1999], {"k": True}, "2026-01-02", "1999")]
    assert (answer.total, answer.whole) == (1, True)


def test_a_long_answer_is_cut_and_says_so(database: Path) -> None:
    answer = run_sql(database, "from resources", limit=10)
    assert (len(answer.rows), answer.total, answer.whole) == (10, None, False)
    exact = run_sql(database, "from resources limit 10", limit=10)
    assert (len(exact.rows), exact.total, exact.whole) == (10, 10, True)


@pytest.mark.parametrize("text", ["describe resources", "show tables", "summarize resources", "explain from resources"])
def test_the_tables_can_be_looked_at(database: Path, text: str) -> None:
    assert run_sql(database, text).rows


@pytest.mark.parametrize(
    ("text", "told", "position"),
    [
        ("selec 1", "syntax error", 0),
        ("select 'é', nmae from resources", 'column "nmae" not found', 12),
        ("select 1;\nselect 2", "one statement", None),
        ("  -- nothing\n", "no statement", None),
        ("select 1/'x'", "Could not convert", 9),
        ("select 'a\0b'", "character '\\x00'", 9),
        ("select '\ud800'", "can't hold the character", 8),
    ],
)
def test_a_wrong_statement_gets_its_reason_and_its_place(
    database: Path, text: str, told: str, position: int | None
) -> None:
    with pytest.raises(SqlError) as error:
        run_sql(database, text)
    assert told in str(error.value)
    assert error.value.position == position


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with the tables of a store and rows in them."""
    path = tmp_path_factory.mktemp("filled") / "tidegate.duckdb"
    with store() as made:
        made.execute(f"attach '{path}' as copy")
        made.execute("copy from database memory to copy")
    return path


def test_each_api_is_a_table(filled: Path) -> None:
    text = """select id, json ->> '$.state.name' as state from "aws-ec2-describe-instances" order by id"""
    assert run_sql(filled, text).rows == [("i-1", "running"), ("i-2", "stopped"), ("i-3", "Running")]


@pytest.mark.parametrize("table", ["resources", "findings", "alerts", '"aws-iam-list-users"'])
def test_what_only_the_store_needs_isnt_shown(filled: Path, table: str) -> None:
    columns = run_sql(filled, f"from {table}").columns
    assert "account" in columns
    assert not {"part", "version", "record", "aid", "generation"} & set(columns)


@pytest.mark.parametrize("text", [text for _, text in EXAMPLES])
def test_the_examples_of_the_page_are_answered(filled: Path, text: str) -> None:
    run_sql(filled, text)


def test_findings_and_resources_come_together(filled: Path) -> None:
    answer = run_sql(
        filled,
        "select r.name, f.name from resources r join finding_resource using (rid) join findings f using (fid)"
        " where f.severity = 'critical'",
    )
    assert answer.rows == [("i-3", "QID-1")]


def test_an_api_that_isnt_there_is_no_table(filled: Path) -> None:
    with pytest.raises(SqlError, match="does not exist"):
        run_sql(filled, 'from "aws-ec2-describe-instance"')


@pytest.mark.parametrize("name", ["x' or 1=1 --", "a'); drop view resources; --", 'a""b'])
def test_a_name_of_a_table_stays_a_name(filled: Path, name: str) -> None:
    with pytest.raises(SqlError, match=r"does not exist|No files found|disabled"):
        run_sql(filled, f'from "{name}"')


ESCAPES = (
    "copy (select 1) to '{file}' (format csv, use_tmp_file false)",
    "with x as (copy (select 1) to '{file}' (format csv, use_tmp_file false)) select 1",
    "with x as (copy (select 1) to '{name}' (format csv, use_tmp_file false)) select * from x",
    "explain analyze copy (select 1) to '{file}' (format csv, use_tmp_file false)",
    "explain analyze with x as (copy (select 1) to '{name}.wal' (format csv, use_tmp_file false)) select 1",
    "copy (select 1) to '{folder}/new.csv'",
    "with x as (copy (select 1) to 'new.csv') select 1",
    "with x as (insert into resources values (1, 'x', '{{}}')) select 1",
    "with x as (delete from resources returning *) select * from x",
    "insert into resources values (1, 'x', '{{}}')",
    "update resources set n = 1",
    "delete from resources",
    "drop table resources",
    "create table t as select 1",
    "create temp table t as select 1",
    "create macro f(x) as x",
    "select * from read_text('/etc/hostname')",
    "select * from read_csv('/etc/passwd')",
    "select * from read_blob('{file}')",
    "select * from glob('/*')",
    "from '/etc/passwd'",
    "from '{folder}/x.parquet'",
    "select * from read_text('http://127.0.0.1:1/x')",
    "select * from read_text('/proc/self/environ')",
    "attach '{folder}/other.duckdb'",
    "attach '{file}' as again (read_write)",
    "drop view resources",
    "create or replace temp view resources as select 1",
    "create schema s",
    "comment on table resources is 'x'",
    "explain analyze insert into resources values (1, 'x', '{{}}')",
    "force checkpoint",
    "select * from query('copy (select 1) to ''{file}'' ')",
    "select * from query_table('/etc/passwd')",
    "from read_json_auto('/etc/passwd')",
    "from read_parquet('{folder}/*.parquet')",
    "from sniff_csv('/etc/passwd')",
    "select * from parquet_metadata('{folder}/x.parquet')",
    "set file_search_path = '/'",
    "set allowed_directories = ['/']",
    "set autoinstall_known_extensions = true",
    "set temp_directory = '{folder}'",
    "set threads = 64",
    "pragma disable_checkpoint_on_shutdown",
    "with x as (update resources set n = 1 returning *) select * from x",
    "with x as materialized (copy (select 1) to '{name}' (format csv, use_tmp_file false)) from x",
    "(copy (select 1) to '{file}' (format csv, use_tmp_file false))",
    "attach ':memory:' as m",
    "detach tidegate",
    "set enable_external_access = true",
    "set memory_limit = '90GB'",
    "reset disabled_filesystems",
    "set variable x = 1",
    "pragma enable_profiling",
    "call pragma_version()",
    "select * from duckdb_secrets(redact := false) union all select * from read_text('/etc/hostname')",
    "install httpfs",
    "load httpfs",
    "export database '{folder}/out'",
    "import database '{folder}/out'",
    "create secret (type s3)",
    "checkpoint",
    "vacuum",
    "begin transaction",
    "prepare p as select 1",
    "use memory",
    "select * from sys",
    "select * from os",
    "select getenv('HOME')",
    "from enable_logging(storage='file', storage_path='{folder}/log')",
    "from enable_profiling(format='json', save_location='{folder}/profile.json')",
    "from read_duckdb('{file}')",
    "from json_execute_serialized_sql(json_serialize_sql('from read_text(''/etc/hostname'')'))",
    "from read_text('/dev/fd/0')",
    "from read_blob('/proc/self/mem')",
    "from duckdb_extensions()",
    "from query('attach ''{folder}/other.duckdb'' ')",
    "with x as (merge into resources using (select 1) on false when matched then delete returning *) from x",
)


@pytest.mark.parametrize("text", ESCAPES)
def test_an_escape_is_stopped(database: Path, text: str) -> None:
    with pytest.raises(SqlError):
        run_sql(database, text.format(file=database, name=database.name, folder=database.parent), timeout=20)


def test_the_environment_isnt_told(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE_SECRET", "kept-to-ourselves")
    run_sql(database, "select 1")  # takes the child that was started before
    assert "kept-to-ourselves" not in str(run_sql(database, "from duckdb_settings()", limit=1000).rows)


@pytest.mark.parametrize(
    "text",
    [
        "select repeat('x', 2000000000)",
        "select length(array_to_string(list_transform(range(40), lambda i: repeat('x', 100000000)), ''))",
        "select a.n, b.n, c.n from resources a, resources b, resources c order by random()",
    ],
)
def test_a_statement_that_wants_too_much_memory_is_refused(database: Path, text: str) -> None:
    with pytest.raises(SqlError, match=r"memory|no answer within"):
        run_sql(database, text, timeout=5)


@pytest.mark.parametrize(
    "text",
    [
        "select count(*) from range(1000000) a, range(1000000) b, range(1000000) c",
        "with recursive t(i) as (select 1 union all select i from t) select count(*) from t",
        "select levenshtein(repeat('a', 100000), repeat('b', 100000))",
        "select sleep_ms(100000)",
    ],
)
def test_a_statement_without_end_is_killed_and_leaves_no_process(database: Path, text: str) -> None:
    with pytest.raises(SqlError, match="no answer within 1 seconds"):
        run_sql(database, text, timeout=1)
    waiting = [child for child in psutil.Process().children() if any("jail.py" in part for part in child.cmdline())]
    assert len(waiting) <= 1  # the one that is kept warm
    assert all(child.status() != psutil.STATUS_ZOMBIE for child in waiting)


def test_the_next_statement_is_answered_after_one_that_was_killed(database: Path) -> None:
    with pytest.raises(SqlError):
        run_sql(database, "select count(*) from range(1000000) a, range(1000000) b, range(1000000) c", timeout=0.2)
    assert run_sql(database, "select 1").rows == [(1,)]


def test_a_too_large_answer_is_refused(database: Path) -> None:
    with pytest.raises(SqlError, match="larger than"):
        run_sql(database, "select repeat('x', 50000) from resources", limit=2000)


def test_a_file_that_may_only_be_read_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "only.duckdb"
    duckdb.connect(str(path)).execute("create table t as select 7 as n").close()
    os.chmod(path, stat.S_IRUSR)
    assert run_sql(path, "from t").rows == [(7,)]


def test_a_database_that_isnt_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SqlError, match=r"there is no database gone\.duckdb"):
        run_sql(tmp_path / "gone.duckdb", "select 1")
