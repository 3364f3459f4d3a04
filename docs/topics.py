"""topics.md: every topic, the JSON Schema of its records, and one record of each source."""

import inspect
import json
from collections.abc import Iterator

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema
from typing_extensions import override

from agents.normalise import NORMALISERS
from docs import sources
from streams.codec import encode
from streams.records import Record
from streams.settings import Settings
from streams.topics import DAY, HOUR, MIB, TOPICS, Topic, raw_topic

_DEFAULTS = Settings.model_construct()
"""The settings as they are where the operator sets nothing."""

_DIVIDED = {
    "by account": "`TIDEGATE_PARTITIONS`, by cloud account",
    "raw": "`TIDEGATE_RAW_PARTITIONS`",
    "single": "1",
    "few": "4",
}


def page() -> str:
    """Return the page as Markdown."""
    raw = [raw_topic(source.topic) for source in NORMALISERS.values()]
    lines = [
        "# Topics",
        "",
        "Printed from `streams/topics.py`, `streams/records.py` and the sources by `make docs`; don't edit it here.",
        "",
        "`tidegate topics create` makes them, `tidegate topics check` compares. `TIDEGATE_TOPIC_PREFIX` goes before",
        "every name. Anyone may write to the `raw` topics, and read all of them; only Tidegate writes to the others.",
        "A reader keeps fields that it doesn't know, and takes the default of those that are missing.",
        "",
        "| topic | key | partitions | kept | largest message | holds |",
        "|---|---|---|---|---|---|",
    ]
    lines += [_row(topic) for topic in (*raw, *TOPICS)]
    lines += [
        "",
        "Partition by account: murmur2 of the canonical account, as Kafka's own clients hash a key, sign bit cleared,",
        "modulo the number of partitions. Every producer of ours passes it, since a record's key is something else.",
        "",
        "What Tidegate sets on a topic at the broker, and checks at its start:",
        "",
    ]
    for topic in (raw[0], *TOPICS):
        name = "raw.*" if topic is raw[0] else topic.name
        lines.append(f"- `{name}`: " + ", ".join(f"`{key}={value}`" for key, value in sorted(topic.config().items())))
    for topic in TOPICS:
        if topic.record is not None:
            lines += ["", *_record(topic, topic.record)]
    return "\n".join([*lines, ""])


def _row(topic: Topic) -> str:
    partitions = f"{topic.partitions(_DEFAULTS)}: {_DIVIDED[topic.divided]}"
    if topic.divided in ("single", "few"):
        partitions = _DIVIDED[topic.divided]
    kept = "the newest of each key" if topic.compacted else _time(topic.retention_ms)
    size = f"{topic.max_message_bytes / MIB:g} MiB"
    return f"| `{topic.name}` | {topic.key.replace('|', '&#124;')} | {partitions} | {kept} | {size} | {topic.holds} |"


def _time(ms: int) -> str:
    return "for ever" if ms < 0 else f"{ms // DAY} days" if ms % DAY == 0 else f"{ms / HOUR:g} hours"


def _record(topic: Topic, shape: type) -> Iterator[str]:
    yield f"## {topic.name}"
    yield ""
    yield inspect.getdoc(shape) or ""
    yield ""
    yield "```json"
    yield sources.as_json(TypeAdapter(shape).json_schema(schema_generator=_Untitled))
    yield "```"
    for name in NORMALISERS:
        if (record := sources.example(name, shape)) is not None:
            yield ""
            yield f"One from `{name}`, without `original`: what came in is in [sources.md](sources.md)."
            yield ""
            yield "```json"
            yield sources.as_json(_shown(record))
            yield "```"


class _Untitled(GenerateJsonSchema):
    """Without a title that only repeats a field's name."""

    @override
    def field_title_should_be_set(self, schema: object) -> bool:
        return False


def _shown(record: Record) -> dict[str, object]:
    """Return the record as a reader finds it on the topic, but for what the vendor sent."""
    shown: dict[str, object] = json.loads(encode(record).value)
    return {name: value for name, value in shown.items() if name != "original"}
