"""Records for tests of the store, and a log that hands them to it as Kafka would."""

import json
from typing import Any

from streams.store import Applied, Part, Store
from streams.store.schema import KindName

PART = 3


def version(n: int) -> str:
    return f"{n:015d}.00000000000000000000.raw.x.00000.000000000000000.000000"


def resource(rrn: str, n: int, keys: tuple[str, ...] = (), /, **more: Any) -> tuple[bytes, bytes]:
    record = {
        "rrn": rrn,
        "account": "123456789012",
        "cloud": "aws",
        "region": "eu-west-1",
        "api_name": "aws-ec2-describe-instances",
        "id": rrn,
        "keys": list(keys),
        "version": version(n),
        "config": {"instanceId": rrn, "n": n},
    }
    return rrn.encode(), json.dumps(record | more).encode()


def finding(id: str, n: int, references: tuple[str, ...] = (), /, **more: Any) -> tuple[bytes, bytes]:
    record = {
        "id": id,
        "account": "123456789012",
        "source": "AWS GuardDuty",
        "type": "AWS GuardDuty Host",
        "name": "UnauthorizedAccess:EC2/SSHBruteForce",
        "severity": "high",
        "title": f"finding {id}",
        "references": [{"id": r, "type": "Instance"} for r in references],
        "version": version(n),
    }
    record |= more
    return f"{record['account']}|{record['id']}".encode(), json.dumps(record).encode()


class Log:
    """The partition PART of both topics: what is appended goes to the store, and stays for a rebuild."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.records: dict[KindName, list[tuple[int, bytes | None, bytes | None]]] = {"resources": [], "findings": []}

    def add(self, kind: KindName, *records: tuple[bytes | None, bytes | None]) -> Applied:
        start = len(self.records[kind])
        new = [(start + i, key, value) for i, (key, value) in enumerate(records)]
        self.records[kind].extend(new)
        return self.store.apply([Part(kind, kind, PART, start, start + len(new), new)])

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        cursor = self.store.cursor()
        try:
            return cursor.execute(sql).fetchall()
        finally:
            cursor.close()
