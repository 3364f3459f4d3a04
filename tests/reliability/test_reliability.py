"""A cell of the matrix for each fault, small; all of them: `python -m tests.reliability`."""

import asyncio

import pytest

from streams.settings import Settings
from tests.contract.sinks import Case
from tests.reliability.cell import DEDUPLICATED, run
from tests.reliability.faults import FAULTS, Fault

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(120)]

ALERTS = 20
CELLS = {
    "healthy": "google_cscc",
    "errors": "splunk",
    "late": "servicenow",
    "throttled": "pagerduty",
    "revoked": "webhook",
    "malformed": "xsoar",
    "killed": "sqs",
    "moved": "security_hub",
}


@pytest.mark.parametrize("kind", [each for each in FAULTS if each.name in CELLS], ids=lambda kind: kind.name)
def test_nothing_is_lost_and_the_last_state_is_there(settings: Settings, kind: type[Fault]) -> None:
    case = Case(CELLS[kind.name])
    found = asyncio.run(run(case, kind(outage=0.5), settings, ALERTS))
    assert (found.lost, found.wrong, found.dead, found.refused) == (0, 0, 0, 0), found
    assert found.doubles == 0 or str(case) not in DEDUPLICATED, found
