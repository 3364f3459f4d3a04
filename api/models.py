"""What goes into the API and comes out of it; docs/api.md and OpenAPI are printed from here."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from queries.policy import Policy, Severity


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


_AS_OF = "A snapshot's name, or a time (ISO 8601) whose newest snapshot is asked."


class RqlQuestion(_Shape):
    """A question in RQL."""

    query: str = Field(description="The query.", examples=["config from cloud.resource where cloud.type = 'aws'"])
    limit: int = Field(default=100, ge=0, le=10_000, description="Most rows to answer; `total` counts all of them.")
    explain: bool = Field(default=False, description="Answer tree, SQL and plan instead of rows.")
    as_of: str | None = Field(default=None, max_length=100, description=_AS_OF + " Absent: live.")


class SqlQuestion(_Shape):
    """A question in SQL, read-only, on the newest snapshot."""

    query: str = Field(description="One SELECT.", examples=["select severity, count(*) from findings group by all"])
    limit: int = Field(default=1000, ge=0, le=100_000, description="Most rows to answer.")
    as_of: str | None = Field(default=None, max_length=100, description=_AS_OF + " Absent: the newest.")


class PruneOrder(_Shape):
    """Which snapshots may go."""

    keep: int | None = Field(default=None, ge=1, description="How many to keep, newest first; the setting when absent.")


class ReplayOrder(_Shape):
    """How to send a dead letter again."""

    again: bool = Field(default=False, description="Also when it was sent again before.")


class Answer(_Shape):
    """Rows, and how far they can be relied on."""

    columns: list[str] = Field(description="Names, in the order of the values in a row.")
    rows: list[list[Any]] = Field(description="Values; times as ISO 8601, UTC.")
    total: int | None = Field(
        description="How many rows there are; more than `rows` when `limit` cut them; null: that wasn't counted."
    )
    complete: bool = Field(description="True when `rows` holds every row there is.")
    took_ms: float = Field(description="Time in the database, in milliseconds.")
    notes: list[str] = Field(description="What may explain a surprising answer.")
    whole: bool = Field(description="True when every account is in it; false on a worker that owns some partitions.")
    source: Literal["live", "snapshot"] = Field(description="Where the rows come from.")
    as_of: str = Field(description="The moment that the rows show, ISO 8601, UTC.")
    snapshot: str | None = Field(default=None, description="Name of the snapshot that was asked.")
    age_s: float | None = Field(default=None, description="How old that snapshot is, in seconds.")


class Explanation(_Shape):
    """How an RQL query is run."""

    explain: dict[str, Any] = Field(description="The query in one spelling, its tree, SQL, bound values and plan.")


class Policies(_Shape):
    """Policies, the worst severity first."""

    policies: list[Policy] = Field(description="As GET /policies/{id} gives each.")


class Violations(Answer):
    """The resources that violate a policy."""

    policy: str = Field(description="The policy's id.")
    name: str = Field(description="Its name.")
    severity: Severity = Field(description="How bad each of them is.")


class SnapshotInfo(_Shape):
    """One snapshot: a folder that anybody may open and nobody changes."""

    name: str = Field(description="Name of its folder.")
    path: str = Field(description="Its folder: open it with DuckDB, pandas, Polars or Spark.")
    taken: str = Field(description="ISO 8601, UTC.")
    rows: dict[str, int] = Field(description="Rows by table.")
    bytes: int = Field(description="Size of all its files.")


class Snapshots(_Shape):
    """Snapshots, newest first."""

    snapshots: list[SnapshotInfo] = Field(description="As POST /snapshots gives each.")


class Pruned(_Shape):
    """What was removed."""

    removed: list[str] = Field(description="Names of the snapshots that went.")


class Letter(_Shape):
    """A dead letter, without its item."""

    id: str = Field(description="`<partition>-<offset>` in the topic dead-letters.")
    source: str = Field(description="The source whose normaliser refused it; `store` where a table did.")
    path: str = Field(description="The field that is wrong, seen from the item.")
    reason: str = Field(description="What is wrong with it.")
    place: str = Field(description="Where the item lay in its message; empty: it was all of it.")
    topic: str = Field(description="Topic of the message.")
    partition: int = Field(description="Partition of the message.")
    offset: int = Field(description="Offset of the message.")
    timestamp: int = Field(description="When the message came, in ms since 1970 UTC.")
    failed_at: int = Field(description="When it was refused, in ms since 1970 UTC.")
    size: int = Field(description="Bytes of the item.")
    replayed_at: int | None = Field(
        description="When it was last sent again, in ms since 1970 UTC; null when it never was."
    )


class Letters(_Shape):
    """Dead letters, newest first."""

    dead_letters: list[Letter] = Field(description="As GET /dead-letters/{id} gives each, without `item` and `text`.")


class WholeLetter(Letter):
    """A dead letter with its item."""

    item: str = Field(description="The bytes in base64.")
    text: str | None = Field(description="The bytes as text, when they are UTF-8.")


class Replayed(_Shape):
    """What was sent again, and where to."""

    id: str = Field(description="The dead letter.")
    topic: str = Field(description="Where its item went.")
    partition: int = Field(description="In that topic.")
    bytes: int = Field(description="Size of the item.")
    replayed_at: int = Field(description="In ms since 1970 UTC.")


class Partition(_Shape):
    """One partition of a topic that is read."""

    topic: str = Field(description="Its name on the cluster.")
    partition: int = Field(description="Its number.")
    next_offset: int = Field(description="Up to where it is worked off.")
    lag: int | None = Field(description="Records that wait; null where there is no broker.")


class Status(_Shape):
    """How this Tidegate is."""

    version: str = Field(description="Of Tidegate.")
    kind: str = Field(description="`up`, `worker` or `node`.")
    started: str = Field(description="ISO 8601, UTC.")
    bootstrap_servers: str = Field(description="The broker.")
    data: str = Field(description="The data folder.")
    whole: bool = Field(description="True when it owns every partition.")
    rows: dict[str, int] = Field(description="Rows by table.")
    partitions: list[Partition] = Field(description="Each with `topic`, `partition`, `next_offset` and `lag`.")
    lag: int = Field(description="Records that wait, over all partitions.")
    snapshot: SnapshotInfo | None = Field(description="The newest one.")


class Health(_Shape):
    """Whether it answers."""

    status: Literal["ok"] = Field(description="It answers.")
    version: str = Field(description="Of Tidegate.")


class Wrong(_Shape):
    """What went wrong, and the way out."""

    code: str = Field(description="What kind of error, for programs.")
    message: str = Field(description="A sentence, for people.")
    span: list[int] | None = Field(default=None, description="Start and end of what is wrong in an RQL query.")
    drawing: str | None = Field(default=None, description="The query with a caret under what is wrong.")


class Failure(_Shape):
    """Every error has this body."""

    error: Wrong
