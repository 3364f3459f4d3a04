"""Kafka's Metadata request, version 12: it tells the topics' ids, which aiokafka's own is too old for."""

import base64
from io import BytesIO
from typing import Any

from aiokafka.protocol.abstract import AbstractType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Schema, TaggedFields


class Uuid(AbstractType[bytes]):  # type: ignore[misc] # aiokafka is untyped to mypy
    """16 bytes as they are."""

    @classmethod
    def encode(cls, value: bytes) -> bytes:
        """Return the bytes."""
        return value

    @classmethod
    def decode(cls, data: BytesIO) -> bytes:
        """Read the bytes."""
        return data.read(16)


NO_ID = bytes(16)
"""A topic id that isn't given, or not known."""


def id_text(uuid: bytes) -> str:
    """Return a topic id as Kafka's own tools print it: URL-safe base64 without padding."""
    return base64.urlsafe_b64encode(uuid).rstrip(b"=").decode()


class MetadataResponse_v12(Response):  # type: ignore[misc]
    """Brokers, cluster id, topics with their ids and partitions."""

    API_KEY = 3
    API_VERSION = 12
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", CompactString("utf-8")),
                ("port", Int32),
                ("rack", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", CompactString("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", CompactString("utf-8")),
                ("topic_id", Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class MetadataRequest_v12(RequestStruct):  # type: ignore[misc]
    """Topics by name; none at all: an empty list; every topic: None."""

    FLEXIBLE_VERSION = True
    API_KEY = 3
    API_VERSION = 12
    RESPONSE_TYPE = MetadataResponse_v12
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", Uuid), ("name", CompactString("utf-8")), ("tags", TaggedFields))),
        ("allow_auto_topic_creation", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class MetadataRequest(Request[MetadataRequest_v12]):  # type: ignore[misc]
    """Ask for the topics of *names*; None means all. Creates none."""

    API_KEY = 3

    def __init__(self, names: list[str] | None) -> None:
        self._names = names

    def build(self, request_struct_class: type[MetadataRequest_v12]) -> MetadataRequest_v12:
        """Return the request for the wire."""
        topics: list[tuple[Any, ...]] | None = None
        if self._names is not None:
            topics = [(NO_ID, name, {}) for name in self._names]
        return request_struct_class(topics, False, False, {})
