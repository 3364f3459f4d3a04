"""ServiceNow's tables: their states and priorities, and the fields that every record of ours has."""

from collections.abc import Mapping

from streams.records import Severity

RESOLVED = {"incident": "6", "sn_si_incident": "3"}
REOPENED = {"incident": "2", "sn_si_incident": "16"}

CLOSED = {"incident": {"6", "7", "8"}, "sn_si_incident": {"3", "7"}}
"""States in which nobody works on it."""

FINAL = {"incident": {"7", "8"}, "sn_si_incident": set[str]()}
"""States that a record doesn't leave: opening again makes another one."""

PRIORITIES: Mapping[str, Mapping[Severity, dict[str, str]]] = {
    "incident": {
        "critical": {"impact": "1", "urgency": "1"},
        "high": {"impact": "2", "urgency": "1"},
        "medium": {"impact": "2", "urgency": "2"},
        "low": {"impact": "3", "urgency": "2"},
        "informational": {"impact": "3", "urgency": "3"},
    },
    "sn_si_incident": {
        "critical": {"severity": "1"},
        "high": {"severity": "1"},
        "medium": {"severity": "2"},
        "low": {"severity": "3"},
        "informational": {"severity": "3"},
    },
}

SEVERITIES: Mapping[Severity, str] = {"critical": "1", "high": "2", "medium": "3", "low": "4", "informational": "5"}
"""Of events; 0 clears."""

GIVEN = {
    "incident": {"short_description", "description", "impact", "urgency", "number", "state", "priority"},
    "sn_si_incident": {"short_description", "description", "severity", "number", "state", "priority"},
    "em_event": {
        "source",
        "message_key",
        "node",
        "type",
        "resource",
        "severity",
        "description",
        "time_of_event",
        "state",
    },
}
"""Fields that need no setting: ours, and those that ServiceNow fills."""
