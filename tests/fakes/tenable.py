"""Tenable: export jobs that chunks come out of one by one, in any order; an identical one isn't begun twice."""

from typing import Any
from uuid import UUID

import orjson
from typing_extensions import override

from agents.sinks._outcome import Reply
from tests.fakes.server import Call, Fake, json_reply

ACCESS, SECRET = "4b1f" * 16, "5ec1" * 16
KEYS = {"access_key": ACCESS, "secret_key": SECRET}
_FILTERS = {
    "assets": {"updated_at", "deleted_at", "terminated_at"},
    "vulns": {"state", "severity", "since", "indexed_at"},
}


class Tenable(Fake):
    """Vulnerabilities with the time (s) at which they were indexed, assets with those of their changes."""

    def __init__(self, case: str = "") -> None:
        super().__init__(case)
        self.vulns: list[dict[str, Any]] = []
        self.assets: list[dict[str, Any]] = []
        self.chunk = 2
        self.jobs: dict[str, dict[str, Any]] = {}
        self.ends: dict[str, str] = {}
        """How jobs of a kind end where it isn't FINISHED."""
        self.broken: set[int] = set()
        """Chunks that are no JSON when they're asked for the first time."""
        self.failed: set[int] = set()
        """Chunks that can't be made."""
        self.served: list[tuple[str, int]] = []

    def put(self, number: int, at: int, state: str = "OPEN", severity: str = "high") -> None:
        """Note that a vulnerability was indexed at *at*."""
        self.vulns.append(vulnerability(number, at, state, severity))

    @override
    def holds(self, alert: str) -> list[str]:
        return []

    @override
    def answer(self, call: Call) -> Reply:
        if call.headers.get("x-apikeys") != f"accessKey={ACCESS};secretKey={SECRET}":
            return json_reply(401, {"statusCode": 401, "error": "Unauthorized", "message": "Invalid Credentials"})
        _, kind, export, *rest = call.path.split("/")
        self.must(kind in _FILTERS and export == "export", "no such path", 404)
        match (call.method, rest):
            case ("POST", []):
                return self._begin(kind, call.json)
            case ("GET", ["status"]):
                return json_reply(200, {"exports": []})
            case ("GET", [job, "status"]) if job in self.jobs:
                return self._status(job)
            case ("GET", [job, "chunks", chunk]) if job in self.jobs:
                return self._chunk(job, int(chunk))
        return json_reply(404, {"error": "export not found"})

    def _begin(self, kind: str, order: dict[str, Any]) -> Reply:
        filters = order.pop("filters")
        sizes = {"assets": {"chunk_size"}, "vulns": {"num_assets", "include_unlicensed"}}[kind]
        self.must(order.keys() <= sizes and filters.keys() <= _FILTERS[kind], f"{order} {filters}")
        self.must(50 <= order.get("num_assets", 50) <= 5000 and 100 <= order.get("chunk_size", 100) <= 10_000, "size")
        for id, job in self.jobs.items():
            if (job["kind"], job["filters"]) == (kind, filters) and job["status"] in ("QUEUED", "PROCESSING"):
                said = {"failure_reason": "Duplicate export not allowed.", "active_job_id": id}
                return json_reply(409, said)
        id = str(UUID(int=len(self.jobs) + 1))
        items = self._matching(kind, filters)
        chunks = [items[at : at + self.chunk] for at in range(0, len(items), self.chunk)]
        self.jobs[id] = {"kind": kind, "filters": filters, "status": "QUEUED", "chunks": chunks, "ready": [],
                         "created": self.now * 1000}  # fmt: skip
        return json_reply(200, {"export_uuid": id})

    def _matching(self, kind: str, filters: dict[str, Any]) -> list[dict[str, Any]]:
        if kind == "assets":
            return [
                each
                for each in self.assets
                if all((each[f"_{name}"] or 0) >= since and each[f"_{name}"] for name, since in filters.items())
            ]
        states = filters.get("state", ["OPEN", "REOPENED"])
        return [
            each
            for each in self.vulns
            if each["state"] in states and each["severity"] in filters["severity"]
            and each["_at"] >= filters.get("indexed_at", filters["since"])
        ]  # fmt: skip

    def _status(self, id: str) -> Reply:
        job = self.jobs[id]
        left = [n for n in range(len(job["chunks"]), 0, -1) if n not in job["ready"] and n not in self.failed]
        if job["status"] == "QUEUED":
            job["status"] = "PROCESSING"
        elif left:
            job["ready"].append(left[0])  # the last one first
        elif job["status"] == "PROCESSING":
            job["status"] = self.ends.pop(job["kind"], "FINISHED")
        return json_reply(200, {
            "uuid": id, "status": job["status"], "chunks_available": sorted(job["ready"]), "created": job["created"],
            "chunks_failed": sorted(n for n in self.failed if n <= len(job["chunks"])), "chunks_cancelled": [],
        })  # fmt: skip

    def _chunk(self, id: str, number: int) -> Reply:
        job = self.jobs[id]
        self.must(number in job["ready"], "the chunk isn't ready", 404)
        if number in self.broken:
            self.broken.remove(number)
            return Reply(200, {}, b'[{"asset": {"uu')
        self.served.append((id, number))
        items = [{k: v for k, v in each.items() if k[0] != "_"} for each in job["chunks"][number - 1]]
        return Reply(200, {"content-type": "application/octet-stream"}, orjson.dumps(items))


def vulnerability(number: int, at: int, state: str, severity: str) -> dict[str, Any]:
    """Return a vulnerability as a chunk has it; `_at` isn't sent."""
    return {
        "_at": at,
        "asset": {"uuid": str(UUID(int=number % 5 + 1)), "hostname": "web", "ipv4": "10.0.0.5"},
        "output": "Path : /opt/app",
        "plugin": {"id": number, "name": "a flaw", "family": "General", "cve": [f"CVE-2026-{10000 + number}"]},
        "port": {"port": 443, "protocol": "TCP"},
        "severity": severity,
        "severity_id": 3,
        "severity_default_id": 3,
        "severity_modification_type": "NONE",
        "state": state,
        "first_found": "2026-01-02T03:04:05Z",
        "last_found": "2026-03-02T09:35:00.120Z",
        "indexed": "2026-03-02T09:35:00.120Z",
    }


def asset(number: int, updated: int, deleted: int | None = None, terminated: int | None = None) -> dict[str, Any]:
    """Return an asset as a chunk has it, with the times that filters look at."""
    return {
        "_updated_at": updated,
        "_deleted_at": deleted,
        "_terminated_at": terminated,
        "id": str(UUID(int=number)),
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-03-02T09:40:00Z",
        "deleted_at": None if deleted is None else "2026-03-03T00:00:00Z",
        "terminated_at": None if terminated is None else "2026-03-03T00:00:00Z",
        "first_seen": "2026-01-01T00:00:00Z",
        "last_seen": "2026-03-02T09:35:00Z",
        "ipv4s": ["10.0.0.5"],
        "fqdns": [],
        "hostnames": ["web"],
        "operating_systems": ["Linux"],
        "aws_ec2_instance_id": f"i-{number:017x}",
        "aws_owner_id": "111122223333",
        "aws_region": "eu-west-1",
    }
