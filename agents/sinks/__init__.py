"""Outbound destinations, one file each. Read `_base.py`, then `webhook.py`."""

import sys
from collections.abc import Mapping

from agents.sinks._base import Sink
from streams.plugins import discover

SINKS: Mapping[str, type[Sink]] = discover(sys.modules[__name__], Sink)  # type: ignore[type-abstract] # they are made from settings
"""Every destination by its name."""
