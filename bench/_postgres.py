"""PostgreSQL with the same resources and findings as jsonb: a server of one run, on a socket of its own."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import duckdb

_VM = "api_name = 'aws-ec2-describe-instances' and not deleted"
_SG = "api_name = 'aws-ec2-describe-security-groups' and not deleted"
QUERIES = {
    "scalar": f"select count(*) from resources where {_VM} and json->'state'->>'name' = 'running'"
    " and json->'metadataOptions'->>'httpTokens' = 'optional'",
    "any": f"select count(*) from resources where {_SG} and json @? '$.ipPermissions[*] ? ((@.ipRanges[*] =="
    ' "0.0.0.0/0" || @.ipv6Ranges[*].cidrIpv6 == "::/0") && @.fromPort <= 22 && @.toPort >= 22)\'',
    "contains": f"select count(*) from resources where {_VM} and json @? '$.tags[*].value ? (@ like_regex \"team-2\")'",
    "missing": f"select count(*) from resources where {_VM} and not json ? 'iamInstanceProfile'",
    "size": f"select count(*) from resources where {_VM} and jsonb_array_length(json->'tags') > 1",
    "age": f"select count(*) from resources where {_VM} and (json->>'launchTime')::timestamptz <"
    " timestamptz '2026-11-01Z' - interval '100 days'",
    "join": f"select count(*) from resources where {_VM} and json->>'publicIpAddress' is not null and json->>'vpcId' in"
    f" (select json->>'vpcId' from resources where {_SG} and json->>'groupName' = 'web-7')",
    "join_array": "select count(distinct rid) from (select rid,"
    f" jsonb_array_elements(json->'securityGroups')->>'groupId' as g from resources where {_VM}) x"
    f" where g in (select json->>'groupId' from resources where {_SG} and json->>'isShared' = 'false')",
    "findings": "select count(*) from resources where not deleted and rid in (select rid from finding_resource join"
    " findings using (fid) where type = 'AWS GuardDuty Host' and severity = 'high' and source = 'AWS GuardDuty'"
    " and not deleted and status = 'open')",
}
_TABLES = {
    "resources": ("rid numeric, api_name text, deleted boolean, json jsonb", "rid, api_name, deleted, json"),
    "findings": (
        "fid numeric, type text, severity text, source text, deleted boolean, status text",
        "fid, type, severity, source, deleted, status",
    ),
    "finding_resource": ("fid numeric, rid numeric", "fid, rid"),
}


def binaries() -> Path | None:
    """Return the folder of the server's programs, None where there is none that this user can run."""
    known = sorted(Path("/usr/lib/postgresql").glob("*/bin")) + [Path(folder) for folder in os.get_exec_path()]
    whole = [each for each in known if all((each / name).exists() for name in ("initdb", "pg_ctl", "psql"))]
    return whole[0] if whole and (os.getuid() or _user()) else None


@contextmanager
def filled(programs: Path, folder: Path, source: duckdb.DuckDBPyConnection) -> Iterator[Path]:
    """Start a server in *folder*, copy the tables of *source* into it, and yield the folder of its socket."""
    folder.mkdir()
    folder.chmod(0o777)
    _run([programs / "initdb", "-D", folder / "data", "-A", "trust", "-U", "bench"])
    options = f"-k {folder} -c listen_addresses='' -c shared_buffers=1GB -c work_mem=256MB -c fsync=off"
    _run([programs / "pg_ctl", "-D", folder / "data", "-w", "-l", folder / "log", "-o", options, "start"])
    try:
        for name, (columns, selected) in _TABLES.items():
            file = folder / f"{name}.csv"
            source.execute(f"copy (select {selected} from {name}) to '{file}' (header false)")
            _ask(programs, folder, f"create table {name}({columns})")
            _ask(programs, folder, f"\\copy {name} from '{file}' csv")
            file.unlink()
        _ask(programs, folder, "create index on resources(api_name)")
        _ask(programs, folder, "create index on resources using gin(json jsonb_path_ops)")
        _ask(programs, folder, "create index on findings(type, source, severity)")
        _ask(programs, folder, "vacuum analyze")
        yield folder
    finally:
        _run([programs / "pg_ctl", "-D", folder / "data", "-m", "immediate", "stop"])


def measure(programs: Path, folder: Path, rounds: int) -> dict[str, tuple[int, float]]:
    """Return what each query counts and how long it takes, in ms."""
    found = {}
    for name, query in QUERIES.items():
        said = [_ask(programs, folder, "\\timing on", query) for _ in range(rounds)]
        times = [float(match.group(1)) for text in said if (match := re.search(r"Time: ([0-9.]+) ms", text))]
        counted = re.search(r"^(\d+)$", said[0], re.MULTILINE)
        found[name] = (int(counted.group(1)) if counted else -1, median(times))
    return found


def _ask(programs: Path, folder: Path, *commands: str) -> str:
    asked = [part for command in commands for part in ("-c", command)]
    return _run([programs / "psql", "-h", folder, "-U", "bench", "-d", "postgres", "-XAtq", *asked])


def _run(command: list[Path | str]) -> str:
    words = [str(part) for part in command]
    user = _user() if not os.getuid() else ""  # the server refuses root
    done = subprocess.run(["runuser", "-u", user, "--", *words] if user else words, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)[:200]}: {done.stderr[-500:]}")
    return done.stdout


def _user() -> str:
    import pwd

    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        return ""
