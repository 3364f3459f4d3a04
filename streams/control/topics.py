"""The topics of the control plane: one for each kind of object, and the log of every change."""

from streams.topics import DAY, Topic

AUDIT_LOG = Topic(
    name="audit-log",
    holds="each change of the control plane: when, who, what; never a secret",
    key="kind|id",
    divided="single",
    retention_ms=2 * 365 * DAY,
)


def control_topic(plural: str, about: str) -> Topic:
    """Return the topic `control.<plural>`: compacted, one partition, so that every reader sees one order of changes."""
    return Topic(name=f"control.{plural}", holds=about, key="id", divided="single", compacted=True)
