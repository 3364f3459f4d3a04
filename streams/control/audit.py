"""The log of changes: who changed what, and when, with secrets masked."""

from typing import Any

import orjson

from streams.control.plan import Planned
from streams.control.show import as_json


def line(*, at: int, by: str, action: str, kind: str, id: str, planned: Planned | None = None, **more: object) -> bytes:
    """Return one line of the log: *at* in ms since 1970 UTC, *by* whom, what happened to which object."""
    fields: dict[str, Any] = {"at": at, "by": by, "action": action, "kind": kind, "id": id, **more}
    if planned is not None:
        made = planned.after or (planned.before and planned.before.object)
        fields |= {
            "name": getattr(made, "name", id),
            "version_before": planned.before.version if planned.before else 0,
            "changes": [as_json(each) for each in planned.differences],
        }
    return orjson.dumps(fields)
