"""What goes into the API and comes out of it; docs/api.md and OpenAPI are printed from here."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RqlQuestion(_Shape):
    """A question in RQL."""

    query: str = Field(description="The query.", examples=["config from cloud.resource where cloud.type = 'aws'"])
    limit: int = Field(default=100, ge=0, le=10_000, description="Most rows to answer; `total` counts all of them.")
    explain: bool = Field(default=False, description="Answer tree, SQL and plan instead of rows.")


class SqlQuestion(_Shape):
    """A question in SQL, read-only, on the newest snapshot."""

    query: str = Field(description="One SELECT.", examples=["select severity, count(*) from findings group by all"])
    limit: int = Field(default=1000, ge=0, le=100_000, description="Most rows to answer.")


class PruneOrder(_Shape):
    """Which snapshots may go."""

    keep: int | None = Field(default=None, ge=1, description="How many to keep, newest first; the setting when absent.")


class ReplayOrder(_Shape):
    """How to send a dead letter again."""

    again: bool = Field(default=False, description="Also when it was sent again before.")


class Answer(_Shape):
    """Rows, and how far they can be relied on."""

    columns: list[str]
    rows: list[list[Any]]
    total: int | None = Field(description="How many rows there are; more than `rows` when `limit` cut them.")
    took_ms: float
    notes: list[str] = Field(description="What may explain a surprising answer.")
    whole: bool = Field(description="True when every account is in it; false on a worker that owns some partitions.")
    source: Literal["live", "snapshot"]
    as_of: str = Field(description="The moment that the rows show, ISO 8601, UTC.")
    snapshot: str | None = Field(default=None, description="Name of the snapshot that was asked.")
    age_s: float | None = Field(default=None, description="How old that snapshot is, in seconds.")


class Explanation(_Shape):
    """How an RQL query is run."""

    explain: dict[str, Any] = Field(description="The query in one spelling, its tree, SQL, bound values and plan.")


class SnapshotInfo(_Shape):
    """One snapshot: a folder that anybody may open and nobody changes."""

    name: str
    path: str
    taken: str = Field(description="ISO 8601, UTC.")
    rows: dict[str, int] = Field(description="Rows by table.")
    bytes: int


class Snapshots(_Shape):
    """Snapshots, newest first."""

    snapshots: list[SnapshotInfo]


class Pruned(_Shape):
    """What was removed."""

    removed: list[str]


class Letter(_Shape):
    """A dead letter, without its item."""

    id: str = Field(description="`<partition>-<offset>` in the topic dead-letters.")
    source: str
    path: str
    reason: str
    place: str
    topic: str
    partition: int
    offset: int
    timestamp: int
    failed_at: int
    size: int = Field(description="Bytes of the item.")
    replayed_at: int | None = Field(description="When it was last sent again; null when it never was.")


class Letters(_Shape):
    """Dead letters, newest first."""

    dead_letters: list[Letter]


class WholeLetter(Letter):
    """A dead letter with its item."""

    item: str = Field(description="The bytes in base64.")
    text: str | None = Field(description="The bytes as text, when they are UTF-8.")


class Replayed(_Shape):
    """What was sent again, and where to."""

    id: str
    topic: str
    partition: int
    bytes: int
    replayed_at: int


class Status(_Shape):
    """How this Tidegate is."""

    version: str
    kind: str
    started: str
    bootstrap_servers: str
    data: str
    whole: bool = Field(description="True when it owns every partition.")
    rows: dict[str, int] = Field(description="Rows by table.")
    partitions: list[dict[str, Any]] = Field(description="Each topic's partition: next offset in the store, lag.")
    lag: int = Field(description="Records that wait, over all partitions.")
    snapshot: SnapshotInfo | None = Field(description="The newest one.")


class Health(_Shape):
    """Whether it answers."""

    status: Literal["ok"]
    version: str


class Wrong(_Shape):
    """What went wrong, and the way out."""

    code: str
    message: str
    span: list[int] | None = Field(default=None, description="Start and end of what is wrong in an RQL query.")
    drawing: str | None = Field(default=None, description="The query with a caret under what is wrong.")


class Failure(_Shape):
    """Every error has this body."""

    error: Wrong
