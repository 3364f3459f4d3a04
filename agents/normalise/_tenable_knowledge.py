"""What Tenable's workbench tells of a plugin, over all hosts that it found something on."""

from collections.abc import Mapping
from typing import Any

import orjson

from agents.normalise._tenable_vulnerability import SOURCE, number_of, scores_of, severity_of
from agents.normalise._vulnerability import line
from streams.identity import Place, version
from streams.records import Knowledge


def row(item: Mapping[str, Any], original: orjson.Fragment, place: Place, index: int) -> Knowledge:
    """Return what an item of the workbench's `vulnerabilities` says of its plugin. Raises BadRecord."""
    number = number_of(item.get("plugin_id"), "plugin_id")
    scores = scores_of(item)
    return Knowledge(
        source=SOURCE,
        id=f"plugin:{number}",
        name=f"plugin-{number}",
        severity=severity_of(item.get("severity"), "severity"),
        vendor_severity=str(item.get("severity")),
        score=next((one["score"] for one in scores if "score" in one), None),
        cvss=scores,
        title=line(item.get("plugin_name"), f"plugin {number}"),
        version=version(place.timestamp, 0, place, index),
        original=original,
    )
